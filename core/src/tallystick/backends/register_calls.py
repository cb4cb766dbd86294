"""Check the arguments of the calls about schedules, workers and meters, and return them normalised. See `calls`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from ..contract import validation
from ..contract.records import Capabilities
from ..contract.registers import LONGEST_TTL, METERS_KEPT, Beat, MeterDelta
from ..contract.schedules import MOST_TICKS, Advance, NewSchedule
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr
from . import batches
from .times import call_times, rounded_down

MOST_STEPS = 10_080
"""The maximum number of steps of one call of `meters`: the minutes of a week."""

AHEAD = timedelta(minutes=5)
"""How far a minute may begin after now: the clocks of workers differ."""

MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PutSchedulesCall(NamedTuple):
    """The checked arguments of `put_schedules`."""

    schedules: Sequence[NewSchedule]
    now: datetime
    given: datetime | None


def put_schedules(
    schedules: Sequence[NewSchedule], capabilities: Capabilities, *, now: datetime | None = None
) -> PutSchedulesCall:
    """Check `put_schedules`."""
    batches.items(schedules, "schedules", capabilities.max_batch, NewSchedule)
    names = set()
    for schedule in schedules:
        validation.size(schedule.payload, capabilities.max_payload_bytes, "payload")
        if schedule.name in names:
            raise InvalidArgument(f"two schedules have the name {safe_repr(schedule.name)}; names must differ")
        names.add(schedule.name)
    rounded = [_rounded(schedule, capabilities.time_precision) for schedule in schedules]
    return PutSchedulesCall(rounded, *call_times(now, capabilities))


def _rounded(schedule: NewSchedule, precision: timedelta) -> NewSchedule:
    """Round the times of a schedule that comes from another store."""
    last_tick, created_at = schedule.last_tick, schedule.created_at
    if last_tick is None and created_at is None:
        return schedule
    return replace(
        schedule,
        last_tick=last_tick and rounded_down(last_tick, precision),
        created_at=created_at and rounded_down(created_at, precision),
    )


def names(values: Collection[str], capabilities: Capabilities) -> tuple[str, ...]:
    """Check the names of `remove_schedules` or `schedules`, and return the distinct ones."""
    distinct = validation.names(values, "names")
    validation.within(len(distinct), 0, capabilities.max_batch, "the number of items in one call")
    return distinct


class AdvanceCall(NamedTuple):
    """The checked arguments of `advance`."""

    advances: Sequence[Advance]
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        return self._replace(now=rounded_down(clock, self.precision)) if self.given is None else self

    def is_due(self, advance: Advance) -> bool:
        """Return whether no tick of an advance is later than now."""
        return not advance.ticks or advance.ticks[-1] <= self.now


def advance(advances: Sequence[Advance], capabilities: Capabilities, *, now: datetime | None = None) -> AdvanceCall:
    """Check `advance`."""
    batches.items(advances, "advances", capabilities.max_batch, Advance)
    most = min(capabilities.max_batch, 100 * MOST_TICKS)
    validation.within(sum(len(one.ticks) for one in advances), 0, most, "the number of ticks in one call")
    return AdvanceCall(advances, *call_times(now, capabilities), capabilities.time_precision)


class BeatCall(NamedTuple):
    """The checked arguments of `beat`."""

    beat: Beat
    ttl: timedelta
    now: datetime
    given: datetime | None


def beat(beat: Beat, capabilities: Capabilities, *, ttl: timedelta, now: datetime | None = None) -> BeatCall:
    """Check `beat`."""
    if not isinstance(beat, Beat):
        raise InvalidArgument(f"beat is {safe_repr(beat)}; it must be a Beat")
    if validation.not_negative(ttl, "ttl") > LONGEST_TTL:
        raise InvalidArgument(f"ttl is {safe_repr(ttl)}; it must be at most {LONGEST_TTL}")
    return BeatCall(beat, ttl, *call_times(now, capabilities))


class MeterCall(NamedTuple):
    """The checked arguments of `meter`. Minutes before `oldest` are neither added nor kept."""

    deltas: Sequence[MeterDelta]
    oldest: datetime
    now: datetime
    given: datetime | None


def meter(deltas: Sequence[MeterDelta], capabilities: Capabilities, *, now: datetime | None = None) -> MeterCall:
    """Check `meter`. A store with its own clock compares with this machine's clock, too."""
    batches.items(deltas, "deltas", capabilities.max_batch, MeterDelta)
    moment, given = call_times(now, capabilities)
    for delta in deltas:
        if delta.minute - moment > AHEAD:
            raise InvalidArgument(f"minute is {delta.minute}; it must be at most {AHEAD} after now, {moment}")
    oldest = max(moment, _EPOCH + METERS_KEPT) - METERS_KEPT
    return MeterCall([delta for delta in deltas if delta.minute >= oldest], oldest, moment, given)


class MetersCall(NamedTuple):
    """The checked arguments of `meters`."""

    since: datetime
    until: datetime
    step: timedelta

    def start(self, minute: datetime) -> datetime:
        """Return the start of the step that has a minute."""
        return minute - (minute - _EPOCH) % self.step


def meters(since: datetime, until: datetime, *, step: timedelta) -> MetersCall:
    """Check `meters`."""
    since, until = validation.utc(since, "since"), validation.utc(until, "until")
    validation.in_order(since, until, "since", "until")
    if validation.positive(step, "step") % MINUTE:
        raise InvalidArgument(f"step is {safe_repr(step)}; it must be a whole number of minutes")
    if (until - since) / step > MOST_STEPS:
        raise InvalidArgument(f"the range has more than {MOST_STEPS:,} steps of {step}; choose a longer step")
    return MetersCall(since, until, step)
