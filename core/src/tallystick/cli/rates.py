"""The attempts of the last minutes, for `tallystick stats --last`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

import typer

from ..contract.backend import Backend
from ..contract.registers import METERS_KEPT, Meter
from ..runner.throughput import MINUTE, Rate
from . import show
from .times import length, parse_span

if TYPE_CHECKING:
    from .tables import Table


class Row(NamedTuple):
    """The attempts of a queue and kind in a span of time."""

    queue: str
    kind: str
    rate: Rate

    @classmethod
    def of(cls, meters: Sequence[Meter]) -> list[Self]:
        """Add up meters by queue and kind, in the order of their names."""
        sums: dict[tuple[str, str], Rate] = {}
        for meter in meters:
            key = (meter.queue, meter.kind)
            sums[key] = sums.get(key, Rate()).plus(Rate(*meter[3:]))
        return [cls(*key, sums[key]) for key in sorted(sums)]

    def document(self) -> dict[str, object]:
        """Return the numbers for JSON, with the mean times in seconds."""
        rate = self.rate
        means = {"waiting": rate.mean_waiting.total_seconds(), "running": rate.mean_running.total_seconds()}
        numbers = rate._asdict() | means
        return {"queue": self.queue, "kind": self.kind, **numbers, "error_rate": round(rate.error_rate, 6)}


def read(store: Backend, last: timedelta) -> list[Row]:
    """Return the rates of the whole minutes that began in the last `last`, and of the current minute."""
    now = datetime.now(UTC)
    since = now - last
    return Row.of(store.meters(since, now + MINUTE, step=timedelta(days=1)))


def table(rows: Sequence[Row], last: timedelta) -> "Table":
    """Return the table for people."""
    made = show.table(
        "queue",
        "kind",
        "#ended",
        "#per min",
        "#errors",
        "#discarded",
        "#mean wait",
        "#mean run",
        narrow={"queue": 8, "kind": 8},
        drop=("discarded", "per min"),
    )
    for queue, kind, rate in rows:
        made.add_row(
            show.text(queue),
            show.text(kind),
            f"{rate.ended:,}",
            f"{rate.ended / (last / MINUTE):,.1f}",
            f"{rate.error_rate:.1%}",
            f"{rate.discarded:,}",
            length(rate.mean_waiting),
            length(rate.mean_running),
        )
    return made


def parse_last(text: str) -> timedelta:
    """Read a span such as 15m, 1h or 7d: a minute to seven days."""
    last = parse_span(text)
    if last is not None and MINUTE <= last <= METERS_KEPT:
        return last
    raise typer.BadParameter(f"{text!r} is not a span from 1m to {METERS_KEPT.days}d, e.g. 15m, 1h or 7d")
