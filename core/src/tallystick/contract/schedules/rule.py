"""The interface of a rule: the times at which a schedule fires."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from ...errors import InvalidArgument
from .. import validation

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""No tick is earlier: the id of a tick counts milliseconds from here."""

SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """The ticks of a schedule: whole seconds in UTC, ascending. A rule always has the same ticks, wherever you begin.

    The constructor raises `InvalidArgument` if the rule has no tick at all.

    Args:
        start: No tick is earlier. An aware datetime; None means no bound.
        end: Each tick is earlier. An aware datetime; None means no bound.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _whole_seconds(validation.utc(value, name), name))
        if self.next_tick(EPOCH - SECOND) is None:
            raise InvalidArgument(f"{self} never fires{self._bounds()}; correct the rule, its start or its end")

    @abstractmethod
    def _later(self, moment: datetime) -> Iterator[datetime]:
        """Yield the ticks later than a time in UTC, as if the rule had no start and no end."""

    def explain(self) -> str:
        """Return the rule in English words, for people."""
        return str(self)

    def next_tick(self, after: datetime) -> datetime | None:
        """Return the first tick that is later than `after`, or None if there is none."""
        return next(self._after(validation.utc(after, "after")), None)

    def last_tick(self, at: datetime, *, since: datetime = EPOCH) -> datetime | None:
        """Return the last tick from `since` on that is not later than `at`, or None if there is none.

        The search halves the range after each tick, so it takes some thirty steps, however many ticks there are.
        """
        at = high = validation.utc(at, "at")
        last = None
        tick = self.next_tick(_earlier(validation.utc(since, "since")))
        while tick is not None and tick <= at:
            middle = tick + (high - tick) // 2
            later = self.next_tick(middle)
            if later is None or later > at:
                last, high = tick, middle
            else:
                last = later
            tick = self.next_tick(last)
        return last

    def ticks(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Return an iterator of the ticks from `since` on, before `until`. Each step finds one tick."""
        since, until = validation.utc(since, "since"), validation.utc(until, "until")
        if since > until:
            raise InvalidArgument(f"since is {since}; it must not be later than until, {until}")
        return takewhile(lambda tick: tick < until, self._after(_earlier(since)))

    def _after(self, moment: datetime) -> Iterator[datetime]:
        begin = max(moment, _earlier(self.start or EPOCH))
        ticks = self._later(begin.replace(microsecond=0))
        return ticks if self.end is None else takewhile(self._before_end, ticks)

    def _before_end(self, tick: datetime) -> bool:
        return self.end is None or tick < self.end

    def _bounds(self) -> str:
        start = "" if self.start is None else f" from {self.start}"
        return start if self.end is None else f"{start} before {self.end}"


def _earlier(moment: datetime) -> datetime:
    """Return the microsecond before a time, so that a tick at this time is later."""
    return max(moment, EPOCH) - _MICROSECOND


def _whole_seconds(moment: datetime, what: str) -> datetime:
    """Round up to whole seconds. The ticks are the same, and every store can keep the time."""
    try:
        return moment if not moment.microsecond else moment.replace(microsecond=0) + SECOND
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {moment}; it must be before the end of the year 9999") from exc
