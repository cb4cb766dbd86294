"""The attempts of the last minutes, for `tallystick stats --last`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

import typer

from ..backend import Backend
from ..registers import METERS_KEPT, Meter
from . import show
from .times import length

if TYPE_CHECKING:
    from rich.table import Table

MINUTE = timedelta(minutes=1)


class Rate(NamedTuple):
    """The attempts of a queue and kind in a span of time."""

    queue: str
    kind: str
    completed: int
    retried: int
    discarded: int
    released: int
    cancelled: int
    waiting: timedelta
    running: timedelta

    @classmethod
    def of(cls, meters: Sequence[Meter]) -> list[Self]:
        """Add up meters by queue and kind, in the order of their names."""
        rates: dict[tuple[str, str], Self] = {}
        for _, queue, kind, *numbers in meters:
            before = rates.get((queue, kind))
            sums = numbers if before is None else [a + b for a, b in zip(before[2:], numbers, strict=True)]
            rates[queue, kind] = cls(queue, kind, *sums)
        return [rates[key] for key in sorted(rates)]

    @property
    def ended(self) -> int:
        """The number of attempts."""
        return self.completed + self.retried + self.discarded + self.released + self.cancelled

    @property
    def error_rate(self) -> float:
        """The fraction of the attempts that failed, of those that completed or failed."""
        failed = self.retried + self.discarded
        return failed / (failed + self.completed) if failed else 0.0

    def document(self) -> dict[str, object]:
        """Return the numbers for JSON, with times as the mean in seconds."""
        return self._asdict() | {
            "waiting": self.mean(self.waiting).total_seconds(),
            "running": self.mean(self.running).total_seconds(),
            "error_rate": round(self.error_rate, 6),
        }

    def mean(self, total: timedelta) -> timedelta:
        """Return the mean of a sum of times."""
        return total / max(self.ended, 1)


def read(store: Backend, last: timedelta) -> list[Rate]:
    """Return the rates of the whole minutes that began in the last `last`, and of the current minute."""
    now = datetime.now(UTC)
    since = now - last
    return Rate.of(store.meters(since, now + MINUTE, step=timedelta(days=1)))


def table(rates: Sequence[Rate], last: timedelta) -> "Table":
    """Return the table for people."""
    made = show.table("queue", "kind", "#ended", "#per min", "#errors", "#discarded", "#mean wait", "#mean run")
    for rate in rates:
        made.add_row(
            show.text(rate.queue),
            show.text(rate.kind),
            f"{rate.ended:,}",
            f"{rate.ended / (last / MINUTE):,.1f}",
            f"{rate.error_rate:.1%}",
            f"{rate.discarded:,}",
            length(rate.mean(rate.waiting)),
            length(rate.mean(rate.running)),
        )
    return made


def parse_last(text: str) -> timedelta:
    """Read a span such as 15m, 1h or 7d: a minute to seven days."""
    units = {"m": MINUTE, "h": timedelta(hours=1), "d": timedelta(days=1)}
    if text[:-1].isascii() and text[:-1].isdecimal() and len(text) <= 6 and text[-1] in units:
        last = int(text[:-1]) * units[text[-1]]
        if MINUTE <= last <= METERS_KEPT:
            return last
    raise typer.BadParameter(f"{text!r} is not a span from 1m to {METERS_KEPT.days}d, e.g. 15m, 1h or 7d")
