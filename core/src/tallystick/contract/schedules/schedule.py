"""A stored schedule."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from ...errors import InvalidArgument
from ..meta import Meta
from ..records import NewRecord
from .parsing import parse_rule
from .rule import EPOCH, Rule
from .tick_ids import tick_id

TAG = "schedule:"
"""The jobs of a schedule have a tag of this prefix and the schedule's name."""


class Schedule(NamedTuple):
    """A stored schedule. Datetimes are aware, in UTC.

    The fields up to `declared` are those of `NewSchedule`. `next_tick` is the tick to decide on next; None means that
    the schedule has ended. `last_tick` is the latest tick that fired. `revision` counts the changes, and is the fence
    of `Advance`.
    """

    name: str
    rule: str
    kind: str
    payload: bytes
    queue: str
    priority: int
    max_attempts: int
    tags: tuple[str, ...]
    meta: Meta
    unique_key: str | None
    zone: str
    start: datetime | None
    end: datetime | None
    missed: Literal["skip", "last", "all"]
    window: timedelta
    declared: str | None
    next_tick: datetime | None
    last_tick: datetime | None
    paused: bool
    revision: int
    created_at: datetime
    updated_at: datetime

    def parsed(self) -> Rule:
        """Return the rule, to compute ticks."""
        return parse_rule(self.rule, zone=self.zone, start=self.start, end=self.end)

    def job(self, tick: datetime) -> NewRecord:
        """Return the job of a tick. It is due at the tick, and its id is `tick_id`."""
        return NewRecord(
            id=tick_id(self.name, tick),
            kind=self.kind,
            payload=self.payload,
            queue=self.queue,
            priority=self.priority,
            max_attempts=self.max_attempts,
            run_at=tick,
            unique_key=self.unique_key,
            tags=(*self.tags, TAG + self.name),
            meta=self.meta,
        )

    def job_now(self) -> NewRecord:
        """Return a job to run now, in addition to those of the ticks. It ignores the schedule's unique key."""
        return NewRecord(
            id=uuid7(),
            kind=self.kind,
            payload=self.payload,
            queue=self.queue,
            priority=self.priority,
            max_attempts=self.max_attempts,
            tags=(*self.tags, TAG + self.name),
            meta=self.meta,
        )


def tick_of(id: UUID, tags: Collection[str]) -> datetime | None:
    """Return the tick that a job with this id and these tags was inserted for. None: no schedule inserted the job."""
    names = [tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)]
    try:
        tick = EPOCH + timedelta(milliseconds=id.int >> _BITS_BELOW_TIME)
        return tick if any(tick_id(name, tick) == id for name in names) else None
    except (InvalidArgument, OverflowError):  # an application chose the id or the tag
        return None


_BITS_BELOW_TIME = 80
