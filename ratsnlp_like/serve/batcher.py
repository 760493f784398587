"""Requests that come together go through the model together.

One thread asks the model. What comes while it works waits in a queue of bounded length; inputs with the same options
share a batch. An input that fails fails alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Any

from .limits import Limits
from .problems import Problem

Work = Callable[[list[Any]], list[Any]]
"""Inputs to outcomes, in order; an outcome may be an exception."""


@dataclass(eq=False, frozen=True)
class _Job:
    value: Any
    key: Hashable
    """Jobs of one key share a batch."""
    work: Work
    arrived: float
    done: asyncio.Future[Any]
    """Holds the outcome."""
    alone: bool = False


class Batcher:
    """A queue before a model, and the thread that works it off.

    Args:
        limits: length of the queue and of a batch, and how long a batch waits to be filled.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._stopped = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many inputs wait."""
        return len(self._waiting)

    async def ask(self, values: Sequence[Any], work: Work, *, key: Hashable) -> list[Any]:
        """Outcomes of inputs, in their order.

        Raises:
            Problem: the queue is full.
        """
        jobs = self._submit(values, work, key=key)
        try:
            return [await job.done for job in jobs]
        finally:  # a client that went away waits for nothing
            for job in jobs:
                job.done.cancel()

    async def stream(self, write: Callable[[], Iterator[str]]) -> AsyncGenerator[str, None]:
        """Pieces of text as a model writes them; it stops where nobody reads on.

        Args:
            write: called in the thread of the model.

        Raises:
            Problem: the queue is full.
            Exception: whatever `write` raises.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        gone = Event()

        def work(_: list[Any]) -> list[Any]:
            with closing(_each(write)) as written:
                for piece in written:
                    if self._stopped.is_set():
                        raise _shutting_down()
                    if gone.is_set():
                        break
                    loop.call_soon_threadsafe(pieces.put_nowait, ("piece", piece))
            return [None]

        def ended(done: asyncio.Future[Any]) -> None:
            if not done.cancelled():
                pieces.put_nowait(("end", done.result()))

        (job,) = self._submit([None], lambda values: answers(work, values), key=object(), alone=True)
        job.done.add_done_callback(ended)
        try:
            while (item := await pieces.get())[0] == "piece":
                yield item[1]
            if isinstance(item[1], Exception):
                raise item[1]
        finally:
            gone.set()
            job.done.cancel()

    def _submit(self, values: Sequence[Any], work: Work, *, key: Hashable, alone: bool = False) -> list[_Job]:
        if self._stopped.is_set():
            raise _shutting_down()
        if len(self._waiting) + len(values) > self._limits.queue:
            raise Problem(
                503,
                f"{len(self._waiting)} inputs are waiting",
                expected=f"at most {self._limits.queue}",
                fix="ask again in a moment",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        self._worker = self._worker or loop.create_task(self._run())
        jobs = [_Job(value, key, work, loop.time(), loop.create_future(), alone) for value in values]
        self._waiting.extend(jobs)
        self._arrived.set()
        return jobs

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            await self._fill()
            batch = self._take()
            if not batch:
                continue
            outcomes = await loop.run_in_executor(self._thread, batch[0].work, [job.value for job in batch])
            for job, outcome in zip(batch, outcomes, strict=True):
                if not job.done.done():
                    job.done.set_result(outcome)

    async def _fill(self) -> None:
        """Wait until the next batch is full, or its first input has waited long enough."""
        loop = asyncio.get_running_loop()
        while self._waiting and not self._waiting[0].alone and len(self._next()) < self._limits.batch_size:
            left = self._waiting[0].arrived + self._limits.batch_wait_ms / 1000 - loop.time()
            if left <= 0:
                return
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), left)

    def _next(self) -> list[_Job]:
        """The jobs that would make the next batch: the first one, and those of its kind."""
        same = (job for job in self._waiting if job.key == self._waiting[0].key)
        return list(islice(same, self._limits.batch_size))

    def _take(self) -> list[_Job]:
        batch = self._next() if self._waiting else []
        taken = set(map(id, batch))
        self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        if self._waiting:
            self._arrived.set()
        else:
            self._arrived.clear()
        return [job for job in batch if not job.done.done()]

    def stop(self) -> None:
        """Take nothing more, and end what is being written."""
        self._stopped.set()

    async def close(self) -> None:
        """As `stop`, and tell those who wait."""
        self.stop()
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        for job in self._waiting:
            if not job.done.done():
                job.done.set_result(_shutting_down())
        self._waiting.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _shutting_down() -> Problem:
    return Problem(503, "the server is shutting down")


def answers(work: Work, values: list[Any]) -> list[Any]:
    """Outcomes of inputs; where a batch fails, its halves are tried, down to the inputs that fail."""
    try:
        return work(values)
    except Exception as error:
        if len(values) == 1:
            return [error]
        half = len(values) // 2
        return answers(work, values[:half]) + answers(work, values[half:])


async def started(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """A stream whose first piece is there: what goes wrong before it is raised here, while a status can be sent."""
    first = await anext(pieces, None)

    async def whole() -> AsyncGenerator[str, None]:
        async with aclosing(pieces):
            if first is not None:
                yield first
                async for piece in pieces:
                    yield piece

    return whole()


def _each(write: Callable[[], Iterator[str]]) -> Generator[str, None, None]:
    yield from write()
