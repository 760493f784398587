"""Streaming of generated text: pieces, characters of several tokens, errors, and readers that stop."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from ratsnlp_like.modeling.streaming import stream_text

TEXT = "한국어 문장".encode()


def decode(ids: Any) -> str:
    return bytes(ids).decode("utf-8", "replace")


def generate_bytes(*, streamer: Any, stopping_criteria: Any) -> None:
    """Pass a prompt of two tokens, then the bytes of a text, as `generate` does."""
    streamer.put(torch.tensor([[1, 2]]))
    for byte in TEXT:
        streamer.put(torch.tensor([byte]))
    streamer.end()


def test_pieces_are_whole_characters() -> None:
    assert list(stream_text(generate_bytes, decode)) == list("한국어 문장")


def test_a_last_incomplete_character_is_not_lost() -> None:
    def cut(*, streamer: Any, stopping_criteria: Any) -> None:
        streamer.put(torch.tensor([[1]]))
        for byte in TEXT[:4]:
            streamer.put(torch.tensor([byte]))

    assert list(stream_text(cut, decode)) == ["한", "\ufffd"]


def test_an_exception_of_the_generation_is_raised_in_the_reader() -> None:
    def fail(*, streamer: Any, stopping_criteria: Any) -> None:
        streamer.put(torch.tensor([[1]]))
        streamer.put(torch.tensor([ord("a")]))
        raise RuntimeError("out of memory")

    pieces = stream_text(fail, decode)
    assert next(pieces) == "a"
    with pytest.raises(RuntimeError, match="out of memory"):
        next(pieces)


def test_a_generation_stops_when_its_reader_does() -> None:
    stopped = threading.Event()

    def generate(*, streamer: Any, stopping_criteria: Any) -> None:
        streamer.put(torch.tensor([[1]]))
        assert not stopping_criteria[0](torch.zeros(1, 1), None).any()
        streamer.put(torch.tensor([ord("a")]))
        for _ in range(1000):
            if stopping_criteria[0](torch.zeros(1, 1), None).all():
                stopped.set()
                return
            threading.Event().wait(0.01)

    pieces = stream_text(generate, decode)
    assert next(pieces) == "a"
    pieces.close()
    assert stopped.is_set()


def test_a_generation_computes_only_while_its_reader_waits() -> None:
    computed = []

    def generate(*, streamer: Any, stopping_criteria: Any) -> None:
        streamer.put(torch.tensor([[1]]))
        for byte in b"abc":
            computed.append(byte)
            streamer.put(torch.tensor([byte]))

    pieces = stream_text(generate, decode)
    assert next(pieces) == "a"
    threading.Event().wait(0.05)
    assert computed == [ord("a")]
    assert list(pieces) == ["b", "c"]
