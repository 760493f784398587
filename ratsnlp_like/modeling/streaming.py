"""Generated text, piece by piece while it is generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any

from ..runtime.types import Tensor

_INCOMPLETE = "\ufffd"
"""Text that a byte-level tokenizer returns for the first bytes of a character."""


class _TokenQueue:
    """A streamer of `generate`: puts new tokens into a queue, without those of the prompt, which come first.

    The generation pauses after each of them until its reader wants the next one: the model may be called for other
    inputs in between.
    """

    def __init__(self) -> None:
        self.tokens: SimpleQueue[Any] = SimpleQueue()
        self.closed = Event()
        self._wanted = Semaphore(0)
        self._is_prompt = True

    def put(self, value: Tensor) -> None:
        if not self._is_prompt:
            for token in value.flatten().tolist():
                self.tokens.put(token)
            if not self.closed.is_set():
                self._pause()
        self._is_prompt = False

    def _pause(self) -> None:
        """Wait for the reader; the random generators are those of this generation alone."""
        import torch

        state, devices = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        self._wanted.acquire()
        torch.set_rng_state(state)
        if devices:
            torch.cuda.set_rng_state_all(devices)

    def proceed(self) -> None:
        """Let the generation compute the next token."""
        self._wanted.release()

    def close(self) -> None:
        """Let the generation end."""
        self.closed.set()
        self.proceed()

    def end(self) -> None:
        """Do nothing: the thread reports its own end, after errors too."""


# TextIteratorStreamer of transformers does not serve here: its reader waits forever when `generate` raises, it cannot
# stop a generation that is no longer read, it decodes without the prompt and so loses the space before the first word
# (KoGPT2, KoBART), and it holds Hangul back until the end of a word.
def stream_text(generate: Callable[..., object], decode: Callable[[Sequence[int]], str]) -> Iterator[str]:
    """Run a generation in a thread, and yield its text as it grows.

    The generation computes only while the next piece is waited for, and stops when the iterator is closed; its
    exceptions are raised here.

    Args:
        generate: called with `streamer` and `stopping_criteria`, which it passes to `generate` of a model.
        decode: returns the text of all tokens generated so far.
    """
    queue = _TokenQueue()

    def run() -> None:
        try:
            generate(streamer=queue, stopping_criteria=[_stop_if(queue.closed)])
            queue.tokens.put(None)
        except BaseException as error:
            queue.tokens.put(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    ids: list[int] = []
    length = 0
    try:
        while (item := queue.tokens.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            ids.append(item)
            text = decode(ids).rstrip(_INCOMPLETE)
            if len(text) > length:
                yield text[length:]
                length = len(text)
            queue.proceed()
        if rest := decode(ids)[length:]:
            yield rest
    finally:
        queue.close()
        thread.join()


def _stop_if(event: Event) -> Callable[..., Tensor]:
    """Return a stopping criterion of transformers: all sequences are finished once the event is set."""
    import torch

    def criterion(ids: Tensor, scores: Tensor, **options: Any) -> Tensor:
        return torch.full((len(ids),), event.is_set(), dtype=torch.bool, device=ids.device)

    return criterion
