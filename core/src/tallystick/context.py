"""What a handler is given beside its payload: which job this is, and whether to go on."""

import logging
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from .async_bridge import hop
from .control import Stopped
from .errors import InvalidArgument
from .records import Record

logger = logging.getLogger("tallystick.jobs")

T = TypeVar("T")


class Stop(StrEnum):
    """Why work should stop."""

    CANCELLED = "cancellation was requested"
    TIMED_OUT = "its time was up"
    LOST = "its claim was lost: another worker has the job"
    SHUTDOWN = "the runner is shutting down"


class Context:
    """One attempt at one job."""

    __slots__ = ("record", "stop")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.stop: Stop | None = None

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.record.id

    @property
    def kind(self) -> str:
        """The job's kind."""
        return self.record.kind

    @property
    def queue(self) -> str:
        """The queue that it was claimed from."""
        return self.record.queue

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1. Id and attempt together name it for ever: a key for idempotent effects."""
        return self.record.attempt

    @property
    def should_stop(self) -> bool:
        """Whether to stop early. An async handler need not ask: it is cancelled. A sync one asks now and then."""
        return self.stop is not None

    def check(self) -> None:
        """Raise `Stopped` if the work should stop early."""
        if self.stop is not None:
            raise Stopped(f"job {self.id} should stop: {self.stop}")

    def complete(self, result: T, *, transaction: object) -> T:
        """Complete the job in a transaction of the handler's own: its writes and the job's end commit together.

        It commits nothing: do so, and return. What is committed counts, whatever the handler does afterwards. If it is
        rolled back, the attempt goes on, and ends as its handler does; it may be completed so again.

        When: shortly before the commit, since the lease is not extended from here on.
        Atomic: with the transaction. An attempt that was rescued completes nothing, so the effects are there once.

        Args:
            result: As the handler would return it; a handler that returns None afterwards has returned this.
            transaction: As for `Backend.insert`, where `transactions` is declared.

        Returns:
            The result, to be returned.

        Raises:
            ClaimLost: the attempt has ended; let the error roll the transaction back.
            InvalidResult, PayloadTooLarge, InvalidArgument, Unsupported: nothing was done.
        """
        raise InvalidArgument(f"this context of job {self.id} is no worker's, so there is no attempt to complete")

    async def acomplete(self, result: T, *, transaction: object) -> T:
        """See `complete`; for async handlers, whose transaction may belong to their event loop."""
        return await hop(lambda: self.complete(result, transaction=transaction))

    @property
    def log(self) -> "logging.LoggerAdapter[logging.Logger]":
        """A logger whose records carry the job's id, kind, queue and attempt."""
        return _JobLog(logger, log_fields(self.record))


class _JobLog(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}


def log_fields(record: Record) -> dict[str, object]:
    """Return the fields that every log record about a job carries."""
    return {"job_id": str(record.id), "kind": record.kind, "queue": record.queue, "attempt": record.attempt}
