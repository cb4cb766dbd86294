"""A decision about a schedule, which a store applies at most once."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .. import validation
from .rule import EPOCH

MOST_TICKS = 1_000
"""The maximum number of ticks of one `Advance`."""

_LARGEST_REVISION = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """The ticks of a schedule that fire, and the tick to decide on next. Without ticks it pauses or resumes.

    Args:
        name: The schedule's name.
        revision: The schedule's revision when the caller read it. A store rejects any other one.
        next_tick: The next tick, later than each of `ticks`. None: the schedule has ended.
        ticks: The ticks that fire: ascending, at most 1,000.
        paused: Whether the schedule is paused afterwards.
    """

    name: str
    revision: int
    next_tick: datetime | None
    ticks: tuple[datetime, ...] = ()
    paused: bool = False

    def __post_init__(self) -> None:
        self._set("name", validation.name(self.name, "the name of a schedule"))
        validation.within(self.revision, 1, _LARGEST_REVISION, "revision")
        validation.collection(self.ticks, "ticks", "datetimes")
        validation.within(len(self.ticks), 0, MOST_TICKS, "the number of ticks in one advance")
        self._set("ticks", tuple(validation.utc(tick, "a tick") for tick in self.ticks))
        if self.next_tick is not None:
            self._set("next_tick", validation.utc(self.next_tick, "next_tick"))
        self._check_order()
        if not isinstance(self.paused, bool):
            raise InvalidArgument(f"paused is {safe_repr(self.paused)}; it must be True or False")

    def _check_order(self) -> None:
        times = self.ticks if self.next_tick is None else (*self.ticks, self.next_tick)
        if times and times[0] < EPOCH:
            raise InvalidArgument(f"a tick is {times[0]}; it must not be earlier than 1970")
        for earlier, later in pairwise(times):
            if earlier >= later:
                raise InvalidArgument(
                    f"the tick {later} follows {earlier}; ticks must ascend, and next_tick be the latest"
                )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
