"""Generated text, piece by piece while it is generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from ..runtime.types import Tensor

_INCOMPLETE = "\ufffd"
"""Text that a byte-level tokenizer returns for the first bytes of a character."""


class _TokenQueue:
    """A streamer of `generate`: puts new tokens into a queue, without those of the prompt, which come first."""

    def __init__(self, queue: SimpleQueue[Any]) -> None:
        self._queue, self._is_prompt = queue, True

    def put(self, value: Tensor) -> None:
        if not self._is_prompt:
            for token in value.flatten().tolist():
                self._queue.put(token)
        self._is_prompt = False

    def end(self) -> None:
        """Do nothing: the thread reports its own end, after errors too."""


# TextIteratorStreamer of transformers does not serve here: its reader waits forever when `generate` raises, it cannot
# stop a generation that is no longer read, it decodes without the prompt and so loses the space before the first word
# (KoGPT2, KoBART), and it holds Hangul back until the end of a word.
def stream_text(generate: Callable[..., object], decode: Callable[[Sequence[int]], str]) -> Iterator[str]:
    """Run a generation in a thread, and yield its text as it grows.

    The generation stops when the iterator is closed; its exceptions are raised here.

    Args:
        generate: called with `streamer` and `stopping_criteria`, which it passes to `generate` of a model.
        decode: returns the text of all tokens generated so far.
    """
    queue: SimpleQueue[Any] = SimpleQueue()
    closed = Event()

    def run() -> None:
        try:
            generate(streamer=_TokenQueue(queue), stopping_criteria=[_stop_if(closed)])
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    ids: list[int] = []
    length = 0
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            ids.append(item)
            text = decode(ids).rstrip(_INCOMPLETE)
            if len(text) > length:
                yield text[length:]
                length = len(text)
        if rest := decode(ids)[length:]:
            yield rest
    finally:
        closed.set()
        thread.join()


def _stop_if(event: Event) -> Callable[..., Tensor]:
    """Return a stopping criterion of transformers: all sequences are finished once the event is set."""
    import torch

    def criterion(ids: Tensor, scores: Tensor, **options: Any) -> Tensor:
        return torch.full((len(ids),), event.is_set(), dtype=torch.bool, device=ids.device)

    return criterion
