"""The runner that applications use. Each call that uses the store has an async variant."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Any, Never, Self, TypeVar, overload
from uuid import UUID

from typing_extensions import Unpack

from . import validation
from .async_bridge import hop
from .client import FIRST_PAUSE, LONGEST_PAUSE, Which
from .definition import Call
from .enqueueing import BatchOptions, Enqueue, EnqueueOptions
from .errors import NotFinished
from .handle import Handle
from .job import Job
from .records import Record
from .sync_runner import SyncRunner

R = TypeVar("R")


class Runner(SyncRunner):
    """An application's jobs, its store and, once started, its worker.

    `Runner("sqlite:///jobs.db", concurrency=20)` takes the settings of `Settings` as arguments. Settings that you leave
    out come from the environment. The first use opens the store, so a module can create its runner on import.

    Each `a...` method is the async variant of a method. It makes the call in a thread, so the event loop never waits
    for the store. A `transaction` that belongs to the event loop, such as an `AsyncSession`, is used on that loop.

    Raises:
        ConfigurationError: a setting is invalid.
    """

    async def aenqueue(
        self,
        job: Job[R] | Call[R],
        *more: Never,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> Handle[R]:
        """See `enqueue`."""
        return await hop(lambda: self.enqueue(job, *more, run_at=run_at, **options))

    async def aenqueue_in(
        self, delay: timedelta, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]
    ) -> Handle[R]:
        """See `enqueue_in`."""
        return await hop(lambda: self.enqueue_in(delay, job, **options))

    async def aenqueue_at(self, when: datetime, job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
        """See `enqueue_at`."""
        return await hop(lambda: self.enqueue_at(when, job, **options))

    async def aenqueue_batch(
        self,
        jobs: Iterable[Job[R] | Call[R] | Enqueue[R]],
        *,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[BatchOptions],
    ) -> list[Handle[R]]:
        """See `enqueue_batch`."""
        return await hop(lambda: self.enqueue_batch(jobs, run_at=run_at, **options))

    async def aenqueue_raw(
        self,
        kind: str,
        payload: bytes,
        *,
        run_at: datetime | timedelta | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> Handle[Any]:
        """See `enqueue_raw`."""
        return await hop(lambda: self.enqueue_raw(kind, payload, run_at=run_at, **options))

    async def aget(self, job: Handle[Any] | UUID) -> Record:
        """See `get`."""
        return await hop(lambda: self.get(job))

    @overload
    async def aresult(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    async def aresult(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    async def aresult(self, job: Handle[Any] | UUID, *, timeout: timedelta = timedelta(0)) -> Any:
        """See `result`. Holds no thread while it waits."""
        deadline = monotonic() + validation.not_negative(timeout, "timeout").total_seconds()
        pause = FIRST_PAUSE
        while True:
            try:
                return await hop(lambda: self.result(job))
            except NotFinished:
                left = deadline - monotonic()
                if left <= 0:
                    raise
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def acancel(self, which: Which) -> int:
        """See `cancel`."""
        return await hop(lambda: self.cancel(which))

    async def arequeue(self, which: Which) -> int:
        """See `requeue`."""
        return await hop(lambda: self.requeue(which))

    async def adelete(self, which: Which) -> int:
        """See `delete`."""
        return await hop(lambda: self.delete(which))

    async def astart(self) -> None:
        """See `start`."""
        await hop(self.start)

    async def astop(self, *, grace: timedelta | None = None) -> int:
        """See `stop`."""
        return await hop(lambda: self.stop(grace=grace))

    async def aclose(self) -> None:
        """See `close`."""
        await hop(self.close)

    async def __aenter__(self) -> Self:
        await hop(self.__enter__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
