"""Decide which ticks of a schedule fire now."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple, assert_never

from .. import validation
from .advance import MOST_TICKS
from .rule import EPOCH, SECOND, Rule
from .schedule import Schedule

ON_TIME = timedelta(seconds=30)
"""A tick that is later than this is missed. A worker looks at schedules more often."""


class Due(NamedTuple):
    """The ticks that fire, ascending, and the tick to decide on next. If nothing is due, `next_tick` is unchanged."""

    ticks: tuple[datetime, ...]
    next_tick: datetime | None


def due_ticks(schedule: Schedule, now: datetime, *, limit: int = 100) -> Due:
    """Return the ticks that fire at `now`, by the policy of the schedule for missed ticks.

    Each tick that is at most 30 seconds late fires. The others are missed:

    - `skip`: no missed tick fires.
    - `last`: the latest missed tick fires, if no tick is on time.
    - `all`: each missed tick fires, the earliest first.

    No tick fires that is older than the schedule's window. The work of a call is bounded by `limit`, however many ticks
    were missed. If more are due, `next_tick` is the first that remains; call again.

    Args:
        limit: The maximum number of ticks to return, 1 to 1,000.
    """
    now = validation.utc(now)
    validation.within(limit, 1, MOST_TICKS, "limit")
    if schedule.paused or schedule.next_tick is None or schedule.next_tick > now:
        return Due((), schedule.next_tick)
    rule = schedule.parsed()
    ticks = tuple(islice(_due(schedule, rule, now, _first(schedule, now)), limit))
    return Due(ticks, rule.next_tick(ticks[-1] if len(ticks) == limit else now))


def _first(schedule: Schedule, now: datetime) -> datetime:
    """Return the time before which no tick fires."""
    first = max(schedule.next_tick or EPOCH, now - schedule.window)
    return first if schedule.last_tick is None else max(first, min(schedule.last_tick, now) + SECOND)


def _due(schedule: Schedule, rule: Rule, now: datetime, first: datetime) -> Iterator[datetime]:
    if first > now:
        return
    match schedule.missed:
        case "all":
            yield from _between(rule, first, now)
        case "skip":
            yield from _between(rule, max(first, now - ON_TIME), now)
        case "last":
            late = True
            for tick in _between(rule, max(first, now - ON_TIME), now):
                late = False
                yield tick
            if late and (last := rule.last_tick(now, since=first)) is not None:
                yield last
        case _:
            assert_never(schedule.missed)


def _between(rule: Rule, first: datetime, last: datetime) -> Iterator[datetime]:
    return takewhile(lambda tick: tick <= last, rule.ticks(first, datetime.max.replace(tzinfo=UTC)))
