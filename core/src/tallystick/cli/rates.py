"""The attempts of the last minutes, for `tallystick stats --last`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

import typer

from ..backend import Backend
from ..backends.registers import Numbers
from ..registers import METERS_KEPT, Meter
from . import show
from .times import length, parse_span

if TYPE_CHECKING:
    from rich.table import Table

MINUTE = timedelta(minutes=1)


class Rate(NamedTuple):
    """The attempts of a queue and kind in a span of time."""

    queue: str
    kind: str
    numbers: Numbers

    @classmethod
    def of(cls, meters: Sequence[Meter]) -> list[Self]:
        """Add up meters by queue and kind, in the order of their names."""
        sums: dict[tuple[str, str], Numbers] = {}
        for meter in meters:
            key, numbers = (meter.queue, meter.kind), Numbers(*meter[3:])
            sums[key] = sums[key].plus(numbers) if key in sums else numbers
        return [cls(*key, sums[key]) for key in sorted(sums)]

    @property
    def ended(self) -> int:
        """The number of attempts."""
        return sum(self.numbers[:5])

    @property
    def error_rate(self) -> float:
        """The share of failed attempts among those that completed or failed."""
        failed = self.numbers.retried + self.numbers.discarded
        return failed / (failed + self.numbers.completed) if failed else 0.0

    @property
    def mean_wait(self) -> timedelta:
        """The mean time from run_at to the claim."""
        return self.numbers.waiting / max(self.ended, 1)

    @property
    def mean_run(self) -> timedelta:
        """The mean time from the claim to the outcome."""
        return self.numbers.running / max(self.ended, 1)

    def document(self) -> dict[str, object]:
        """Return the numbers for JSON, with the mean times in seconds."""
        means = {"waiting": self.mean_wait.total_seconds(), "running": self.mean_run.total_seconds()}
        numbers = self.numbers._asdict() | means
        return {"queue": self.queue, "kind": self.kind, **numbers, "error_rate": round(self.error_rate, 6)}


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
            f"{rate.numbers.discarded:,}",
            length(rate.mean_wait),
            length(rate.mean_run),
        )
    return made


def parse_last(text: str) -> timedelta:
    """Read a span such as 15m, 1h or 7d: a minute to seven days."""
    last = parse_span(text)
    if last is not None and MINUTE <= last <= METERS_KEPT:
        return last
    raise typer.BadParameter(f"{text!r} is not a span from 1m to {METERS_KEPT.days}d, e.g. 15m, 1h or 7d")
