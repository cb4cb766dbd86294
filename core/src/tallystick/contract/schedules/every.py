"""Rules that count elapsed time: "every 5 minutes"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .rule import EPOCH, SECOND, Rule

LONGEST_INTERVAL = timedelta(days=3_650)
"""The longest interval of a rule."""

_UNITS = {
    "second": SECOND,
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_TEXT = re.compile(rf"every (?:(\d{{1,9}}) )?({'|'.join(_UNITS)})s?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Every(Rule):
    """Fires at equal intervals of elapsed time, counted from `start`, or otherwise from 1970 in UTC.

    So `every 5 minutes` fires at whole five minutes, and `every day` at midnight in UTC. A change of clocks has no
    effect. To fire at a time of day in a time zone, use a cron text.

    Args:
        interval: Whole seconds, from a second to ten years.
    """

    interval: timedelta

    def __post_init__(self) -> None:
        interval = self.interval
        if not isinstance(interval, timedelta) or interval % SECOND or not SECOND <= interval <= LONGEST_INTERVAL:
            raise InvalidArgument(
                f"the interval of a schedule is {safe_repr(interval)}; it must be whole seconds, from 1 second "
                f"to {LONGEST_INTERVAL.days:,} days"
            )
        Rule.__post_init__(self)  # super() does not work in a dataclass with slots

    @classmethod
    def read(cls, text: str, start: datetime | None = None, end: datetime | None = None) -> Self:
        """Return the rule of a text such as "every 5 minutes" or "every hour"."""
        if (match := _TEXT.fullmatch(text)) is None:
            raise InvalidArgument(
                f"the rule is {safe_repr(text)}; write for example 'every 30 seconds', 'every 5 minutes' or 'every day'"
            )
        try:
            interval = int(match[1] or 1) * _UNITS[match[2].lower()]
        except OverflowError:
            interval = timedelta.max
        return cls(interval=interval, start=start, end=end)

    def __str__(self) -> str:
        """Return the rule as text, in the largest unit that fits."""
        unit, length = next((unit, length) for unit, length in reversed(_UNITS.items()) if not self.interval % length)
        count = self.interval // length
        return f"every {unit}" if count == 1 else f"every {count} {unit}s"

    def _later(self, moment: datetime) -> Iterator[datetime]:
        first = self.start or EPOCH
        passed = (moment - first) // self.interval + 1
        try:
            tick = first + max(passed, 0) * self.interval
            while True:
                yield tick
                tick += self.interval
        except OverflowError:  # after the year 9999
            return
