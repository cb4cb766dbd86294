"""Meters: numbers of attempts and sums of times, for each minute, queue and kind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .. import validation

METERS_KEPT = timedelta(days=7)
"""How long the numbers of a minute are kept."""

LONGEST_SUM = timedelta(days=36_500)
"""The longest `waiting` or `running` of one delta."""

_COUNTS = ("completed", "retried", "discarded", "released", "cancelled")
_LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDelta:
    """Numbers to add to a minute of a queue and kind.

    Args:
        minute: When the minute begins, an aware datetime.
        queue: The queue of the attempts.
        kind: Their kind.
        completed: The number of attempts that ended as `Complete`. retried, discarded, released and cancelled are those
            that ended as `Retry`, `Discard`, `Release` and `Cancel`.
        waiting: The sum of the times from run_at to the claim.
        running: The sum of the times from the claim to the outcome.
    """

    minute: datetime
    queue: str
    kind: str
    completed: int = 0
    retried: int = 0
    discarded: int = 0
    released: int = 0
    cancelled: int = 0
    waiting: timedelta = timedelta(0)
    running: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "minute", validation.utc(self.minute, "minute"))
        if self.minute.second or self.minute.microsecond:
            raise InvalidArgument(f"minute is {self.minute}; it must be the start of a minute, without seconds")
        for name in ("queue", "kind"):
            object.__setattr__(self, name, validation.name(getattr(self, name), name))
        for name in _COUNTS:
            validation.within(getattr(self, name), 0, _LARGEST_COUNT, name)
        for name in ("waiting", "running"):
            if validation.not_negative(getattr(self, name), name) > LONGEST_SUM:
                raise InvalidArgument(
                    f"{name} is {safe_repr(getattr(self, name))}; it must be at most {LONGEST_SUM.days:,} days"
                )


class Meter(NamedTuple):
    """The numbers of a queue and kind for the step that begins at `since`. The fields are those of `MeterDelta`."""

    since: datetime
    queue: str
    kind: str
    completed: int
    retried: int
    discarded: int
    released: int
    cancelled: int
    waiting: timedelta
    running: timedelta
