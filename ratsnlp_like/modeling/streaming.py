"""Text piece by piece, as a model writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

_HALF = "\ufffd"
"""What a tokenizer of bytes shows for a character that is not whole yet."""


class _Tokens:
    """What `generate` takes for a streamer: it is given the prompt, then token after token."""

    def __init__(self, queue: SimpleQueue[Any]) -> None:
        self._queue, self._is_prompt = queue, True

    def put(self, value: Any) -> None:
        """Tokens of the prompt first, which nobody waits for."""
        if not self._is_prompt:
            for token in value.flatten().tolist():
                self._queue.put(token)
        self._is_prompt = False

    def end(self) -> None:
        """The thread says itself when it has ended."""


def pieces(generate: Callable[..., object], text_of: Callable[[Sequence[int]], str]) -> Iterator[str]:
    """Run a generation in a thread of its own, and give its text on as it grows.

    The generation ends where nobody reads on. What it raises is raised here.

    Args:
        generate: takes `streamer` and `stopping_criteria` as `generate` of transformers does.
        text_of: the text of the tokens written so far.
    """
    queue: SimpleQueue[Any] = SimpleQueue()
    given_up = Event()

    def run() -> None:
        try:
            generate(streamer=_Tokens(queue), stopping_criteria=[_stop(given_up)])
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    ids: list[int] = []
    shown = 0
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            ids.append(item)
            whole = text_of(ids).rstrip(_HALF)
            if len(whole) > shown:
                yield whole[shown:]
                shown = len(whole)
        if rest := text_of(ids)[shown:]:
            yield rest
    finally:
        given_up.set()
        thread.join()


def _stop(given_up: Event) -> Callable[..., Any]:
    import torch

    def criterion(ids: Any, scores: Any, **options: Any) -> Any:
        return torch.full((len(ids),), given_up.is_set(), dtype=torch.bool, device=ids.device)

    return criterion
