"""The second argument of a handler: which attempt of which job this is, and whether it should stop."""

import logging
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from ..async_bridge import async_variant
from ..contract import progress
from ..contract.records import Record
from ..contract.schedules import tick_of
from ..errors import InvalidArgument
from .control import Stopped

logger = logging.getLogger("tallystick.jobs")

T = TypeVar("T")


class Stop(StrEnum):
    """Why a handler should stop."""

    CANCELLED = "cancellation was requested"
    TIMED_OUT = "it exceeded its timeout"
    LOST = "its claim was lost: another worker has the job"
    SHUTDOWN = "the runner is shutting down"


class Context:
    """One attempt at a job."""

    __slots__ = ("record", "stop")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.stop: Stop | None = None

    @property
    def id(self) -> UUID:
        """The job's id. It is the same in each attempt: use it as an idempotency key."""
        return self.record.id

    @property
    def kind(self) -> str:
        """The job's kind."""
        return self.record.kind

    @property
    def queue(self) -> str:
        """The queue that the job was claimed from."""
        return self.record.queue

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1. Each claim of the job has a number of its own."""
        return self.record.attempt

    @property
    def meta(self) -> Mapping[str, str]:
        """The text that the job carries, from its enqueue or its schedule."""
        return self.record.meta

    @property
    def tick(self) -> datetime | None:
        """The tick of the schedule that inserted this job; None for other jobs. It is the same in each attempt."""
        return tick_of(self.record.id, self.record.tags)

    @property
    def should_stop(self) -> bool:
        """Whether the handler should stop early. A sync handler checks this regularly. An async one is cancelled."""
        return self.stop is not None

    def check(self) -> None:
        """Raise `Stopped` if the handler should stop early."""
        if self.stop is not None:
            raise Stopped(f"job {self.id} should stop: {self.stop}")

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Report how far the handler is. The dashboard and `tallystick jobs show` show the latest report.

        This call does not wait for the store. The worker stores the latest report at most once a second, and when the
        handler ends. So you can call it in a tight loop. If the job was lost, the report has no effect.

        Args:
            fraction: From 0 to 1. None if you do not know it.
            message: Text for people, such as "page 40 of 100". At most 500 characters.

        Raises:
            InvalidArgument: The fraction is no number from 0 to 1, or the message is no text or too long.
        """
        progress.checked(fraction, message)

    def complete(self, result: T, *, transaction: object) -> T:
        """Complete the job in the handler's own transaction, so that its writes and the completion commit together.

        This call does not commit: commit afterwards, and return. Once committed, the job is completed, whatever the
        handler does next. If the transaction rolls back, the attempt goes on and can call `complete` again.

        When: shortly before the commit, since the lease is no longer extended after this call.
        Atomic: with the transaction. A rescued attempt cannot complete the job, so its writes never commit twice.

        Args:
            result: The job's result. The handler can then return None in place of it.
            transaction: As for `Backend.insert`, where `transactions` is declared.

        Returns:
            The result, for the handler to return.

        Raises:
            ClaimLost: the attempt has ended. Let this error roll back the transaction.
            InvalidResult, PayloadTooLarge, InvalidArgument, Unsupported: nothing was done.
        """
        raise InvalidArgument(
            f"no worker made this context of job {self.id}, so it cannot complete the job; use the "
            "context that the handler of a worker gets"
        )

    acomplete = async_variant(complete)
    """See `complete`. For async handlers, whose transaction may belong to their event loop."""

    @property
    def log(self) -> "logging.LoggerAdapter[logging.Logger]":
        """A logger that adds the job's id, kind, queue and attempt to each record."""
        return _JobLog(logger, log_fields(self.record))


class _JobLog(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}


def log_fields(record: Record) -> dict[str, object]:
    """Return the fields that every log record about a job has."""
    return {"job_id": str(record.id), "kind": record.kind, "queue": record.queue, "attempt": record.attempt}
