"""New values for waiting jobs."""

from dataclasses import dataclass
from datetime import datetime

from ..errors import InvalidArgument
from . import validation
from .records import PRIORITIES, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """New values for waiting jobs. None leaves a field as it is, and at least one is given.

    Args:
        run_at: When the job is due: an aware datetime. A time in the past means now. It is not a delay, because a
            repeated call would then change the job again.
        priority: From -32768 to 32767.
        queue: The name of a queue.
    """

    run_at: datetime | None = None
    priority: int | None = None
    queue: str | None = None

    def __post_init__(self) -> None:
        if self.run_at is None and self.priority is None and self.queue is None:
            raise InvalidArgument("these changes are empty; give at least one of run_at, priority and queue")
        if self.run_at is not None:
            object.__setattr__(self, "run_at", validation.utc(self.run_at, "run_at"))
        if self.priority is not None:
            validation.within(self.priority, *PRIORITIES, "priority")
        if self.queue is not None:
            object.__setattr__(self, "queue", validation.name(self.queue, "queue"))

    def of(self, record: Record, now: datetime) -> Record:
        """Return a record with the new values, or the record itself if it has them already."""
        changed = record._replace(
            run_at=record.run_at if self.run_at is None else self.run_at,
            priority=record.priority if self.priority is None else self.priority,
            queue=record.queue if self.queue is None else self.queue,
        )
        return record if changed == record else changed._replace(updated_at=now)
