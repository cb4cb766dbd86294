"""Find the instants at which a clock on the wall of a time zone shows given times."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Walls = Callable[[datetime], Iterator[datetime]]
"""Returns the times on the wall that are later than a given one: naive, in whole seconds, ascending."""

_SECOND = timedelta(seconds=1)
_PROBE = timedelta(days=3)  # in the tz database, two changes of a zone since 1970 are at least six days apart


def instants(walls: Walls, zone: ZoneInfo, after: datetime, *, fixed: bool) -> Iterator[datetime]:
    """Yield the instants later than `after`, which is in UTC and whole seconds. See `Cron` for the rules.

    Between two changes, the zone's offset is constant, so a time on the wall is an instant plus the offset. At each
    change, the search for times on the wall begins again.

    Args:
        fixed: Whether each time on the wall stands for one instant, although the clocks skip or repeat it.
    """
    try:
        yield from _instants(walls, zone, after, fixed)
    except OverflowError:  # after the year 9999
        return


def _instants(walls: Walls, zone: ZoneInfo, at: datetime, fixed: bool) -> Iterator[datetime]:
    offset = _offset(zone, at)
    if fixed:
        at = _after_repeat(zone, at, offset)
    later = walls(_wall(at, offset))
    while (wall := next(later, None)) is not None:
        tick = (wall - offset).replace(tzinfo=UTC)
        change = _change(zone, at, tick, offset)
        if change is None:
            at = tick
            yield tick
            continue
        before, offset = offset, _offset(zone, change)
        at = change - _SECOND
        if fixed and wall < _wall(change, offset):  # the clocks skip this time
            at = change
            yield change
        elif fixed and offset < before:  # the clocks repeat a period
            at += before - offset
        later = walls(_wall(at, offset))


def _after_repeat(zone: ZoneInfo, at: datetime, offset: timedelta) -> datetime:
    """Return the last second of the repeated period that `at` is in, or `at` if it is in none."""
    local = at.astimezone(zone)
    if not local.fold:
        return at
    before = local.replace(fold=0).utcoffset() or timedelta(0)
    repeated = before - offset
    return _first_other(zone, at - repeated, at, before) + repeated - _SECOND


def _change(zone: ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime | None:
    """Return the first instant after `low`, up to `high`, at which the offset differs from `offset`, or None."""
    while low < high:
        probe = min(low + _PROBE, high)
        if _offset(zone, probe) != offset:
            return _first_other(zone, low, probe, offset)
        low = probe
    return None


def _first_other(zone: ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """Return the first second after `low` with another offset. `high` has one."""
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _wall(at: datetime, offset: timedelta) -> datetime:
    return (at + offset).replace(tzinfo=None)
