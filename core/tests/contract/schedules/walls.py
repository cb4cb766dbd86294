"""An independent account of cron texts and clock changes: it looks at every minute of a range, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

ZONES = (
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # skipped a day in 2011
    "Africa/Casablanca",  # twice a year more, around Ramadan
    "Europe/Dublin",  # negative daylight saving time
    "America/New_York",
    "Asia/Kolkata",  # no changes
    "Pacific/Chatham",  # 45 minutes, at 2:45
    "America/Sao_Paulo",  # at midnight
    "Asia/Amman",  # abolished
    "UTC",
)


@dataclass(frozen=True)
class Text:
    """A cron text of two fields, as sets of numbers. A field that is None is written as `*`."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None

    def __str__(self) -> str:
        return f"{_field(self.minutes)} {_field(self.hours)} * * *"

    @property
    def has_fixed_time(self) -> bool:
        """Whether neither field is a star."""
        return self.minutes is not None and self.hours is not None

    def matches(self, wall: datetime) -> bool:
        """Return whether a time on the wall matches."""
        return _has(self.minutes, wall.minute) and _has(self.hours, wall.hour)


def expected(text: Text, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """Return the ticks in a range of whole minutes in UTC."""
    if text.has_fixed_time:
        return sorted({tick for tick in _fixed(text, zone, since, until) if since <= tick < until})
    return [at for at in _minutes(since, until) if text.matches(_wall(at, zone))]


def _fixed(text: Text, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the first instant at which the clock shows each time or, if it skips the time, a later one."""
    first: dict[datetime, datetime] = {}
    for at in _minutes(since - 2 * DAY, until):
        first.setdefault(_wall(at, zone), at)
    passed = sorted(first)
    for wall in _minutes(passed[0], passed[-1] + MINUTE):
        if text.matches(wall):
            yield first[wall] if wall in first else min(at for later, at in first.items() if later > wall)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """Return the days on which the offset of a zone changes, in twenty years."""
    zone, start = ZoneInfo(name), datetime(2006, 1, 1, tzinfo=UTC)
    days = [start + n * DAY for n in range(20 * 365)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return tuple(day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after)


def _minutes(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += MINUTE


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _field(numbers: frozenset[int] | None) -> str:
    return "*" if numbers is None else ",".join(map(str, sorted(numbers)))


def _has(numbers: frozenset[int] | None, number: int) -> bool:
    return numbers is None or number in numbers
