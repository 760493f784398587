"""Tokens as readable text."""

from __future__ import annotations

from functools import cache
from typing import Any


def readable(tokenizer: Any, token_id: int) -> str:
    """Return a token as text: bytes of a byte-level vocabulary are decoded, a leading space is `▁`."""
    token = str(tokenizer.convert_ids_to_tokens(token_id))
    to_byte = _bytes()
    if type(_decoder(tokenizer)).__name__ != "ByteLevel" or not set(token) <= set(to_byte):
        return token
    raw = bytes(to_byte[character] for character in token)
    try:
        return raw.decode().replace(" ", "▁")
    except UnicodeDecodeError:
        return f"<{raw.hex(' ').upper()}>"


def _decoder(tokenizer: Any) -> Any:
    return tokenizer.backend_tokenizer.decoder if tokenizer.is_fast else None


@cache
def _bytes() -> dict[str, int]:
    """Return the byte of each character of a byte-level vocabulary."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {character: byte for byte, character in bytes_to_unicode().items()}
