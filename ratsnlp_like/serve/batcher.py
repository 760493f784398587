"""Dynamic batching: inputs of requests that arrive together share a batch.

The model is called from one thread. Inputs that arrive while it is busy wait in a queue of bounded length; those with
the same options share a batch. An input that fails does not affect the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Event
from typing import Any

from .limits import Limits
from .problems import Problem

Work = Callable[[list[Any]], list[Any]]
"""Inputs -> outcomes, in order; an outcome may be an exception."""


@dataclass(eq=False, frozen=True)
class _Job:
    value: Any
    key: Hashable
    """Jobs of one key share a batch."""
    work: Work
    arrived: float
    done: asyncio.Future[Any]
    """Result: the outcome."""
    is_step: bool = False
    """True for a step of a stream."""


class Batcher:
    """Queue of a model, and the thread that runs it.

    Args:
        limits: lengths of the queue and of a batch, and the time that a batch waits to be filled.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._stopped = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._worker: asyncio.Task[None] | None = None
        self._stepped = False
        """True if a step of a stream ran last."""

    @property
    def waiting(self) -> int:
        """Number of inputs in the queue."""
        return len(self._waiting)

    async def submit(self, values: Sequence[Any], work: Work, *, key: Hashable) -> list[Any]:
        """Return the outcomes of inputs, in their order.

        Args:
            values: inputs.
            work: computes the outcomes of a batch, in the thread of the model.
            key: inputs of one key share a batch.

        Raises:
            Problem: the queue is full.
        """
        jobs = self._enqueue(values, work, key=key)
        try:
            return [await job.done for job in jobs]
        finally:  # the work of a client that disconnected is dropped
            for job in jobs:
                job.done.cancel()

    async def stream(self, generate: Callable[[], Iterator[str]]) -> AsyncGenerator[str, None]:
        """Yield pieces of text while they are generated; closing this generator ends the generation.

        Args:
            generate: called in the thread of the model.

        Raises:
            Problem: the queue is full.
            Exception: any that `generate` raises.
        """
        generated, end = _each(generate), object()

        def step(_: list[Any]) -> list[Any]:
            if self._stopped.is_set():
                raise _shutting_down()
            return [next(generated, end)]

        admitted = False
        try:
            while (piece := await self._step(step, admitted=admitted)) is not end:
                admitted = True
                yield piece
        finally:  # in the thread of the model, after a step that runs there now
            with suppress(RuntimeError):  # the thread has ended
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, generated.close))

    async def _step(self, step: Work, *, admitted: bool) -> Any:
        """Return the next piece of a stream; other inputs may run between two steps."""
        work = partial(outcomes_of, step)
        (job,) = self._enqueue([None], work, key=object(), is_step=True, admitted=admitted)
        try:
            outcome = await job.done
        finally:
            job.done.cancel()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _enqueue(
        self, values: Sequence[Any], work: Work, *, key: Hashable, is_step: bool = False, admitted: bool = False
    ) -> list[_Job]:
        if self._stopped.is_set():
            raise _shutting_down()
        if not admitted and len(self._waiting) + len(values) > self._limits.queue:
            raise Problem(
                503,
                f"{len(self._waiting)} inputs are waiting",
                expected=f"at most {self._limits.queue}",
                fix="retry in a moment",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        self._worker = self._worker or loop.create_task(self._run())
        jobs = [_Job(value, key, work, loop.time(), loop.create_future(), is_step) for value in values]
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
        """Wait until the next batch is full, or its first input has waited long enough; steps of streams never wait."""
        loop = asyncio.get_running_loop()
        while 0 < len(batch := self._next()) < self._limits.batch_size:
            if any(job.is_step for job in self._waiting):
                return
            left = batch[0].arrived + self._limits.batch_wait_ms / 1000 - loop.time()
            if left <= 0:
                return
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), left)

    def _next(self) -> list[_Job]:
        """Return the jobs of the next batch: the first one, and those of its key.

        Batches and steps of streams take turns, so that many streams delay a batch by one step only.
        """
        if not self._waiting:
            return []
        first = next((job for job in self._waiting if job.is_step != self._stepped), self._waiting[0])
        same = (job for job in self._waiting if job.key == first.key)
        return list(islice(same, self._limits.batch_size))

    def _take(self) -> list[_Job]:
        batch = self._next()
        self._stepped = any(job.is_step for job in batch)
        taken = set(map(id, batch))
        self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        if self._waiting:
            self._arrived.set()
        else:
            self._arrived.clear()
        return [job for job in batch if not job.done.done()]

    def stop(self) -> None:
        """Refuse further inputs, and end running streams."""
        self._stopped.set()

    async def close(self) -> None:
        """Stop, and refuse the inputs that wait."""
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


def outcomes_of(work: Work, values: list[Any]) -> list[Any]:
    """Return the outcomes of inputs; a batch that fails is halved, down to the inputs that fail."""
    try:
        return work(values)
    except Exception as error:
        if len(values) == 1:
            return [error]
        half = len(values) // 2
        return outcomes_of(work, values[:half]) + outcomes_of(work, values[half:])


async def after_first(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Return a stream once its first piece is there: an error before it is raised while a status can be sent."""
    first = await anext(pieces, None)

    async def whole() -> AsyncGenerator[str, None]:
        async with aclosing(pieces):
            if first is not None:
                yield first
                async for piece in pieces:
                    yield piece

    return whole()


def _each(generate: Callable[[], Iterator[str]]) -> Generator[str, None, None]:
    yield from generate()
