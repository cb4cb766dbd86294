"""`tallystick stats`: count the jobs in a store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ..contract.records import QueueStats, Stats
from . import rates, show
from .options import Json, Url, examples, opened
from .times import span

if TYPE_CHECKING:
    from .tables import Table

EXAMPLES = examples(
    "tallystick stats", "tallystick stats --last 1h", "tallystick stats --json | jq .by_queue.emails.due"
)

Last = Annotated[
    timedelta | None,
    typer.Option(parser=rates.parse_last, metavar="SPAN", help="Show the attempts of this span: 15m, 1h, 7d."),
]


def stats(*, last: Last = None, url: Url = None, as_json: Json = False) -> None:
    """Count the jobs by state, by queue and by kind; or the attempts of a span.

    With --last, show the throughput, the share of failed attempts and the mean
    times of each queue and kind. Workers send these numbers every ten seconds,
    and the store keeps them for seven days.

    With --json: an object with the keys total, by_state {state: count},
    by_kind {kind: count} and by_queue {queue: {total, due, oldest_due, paused,
    by_state}}. With --last: an array of objects with the keys queue, kind,
    completed, retried, discarded, released, cancelled, waiting and running
    (mean seconds), and error_rate.
    """
    with opened(url) as store:
        if last is not None:
            _print_rates(rates.read(store, last), last, as_json=as_json)
            return
        counted = store.stats()
    if as_json:
        show.document(_document(counted))
    else:
        _print_tables(counted, datetime.now(UTC))


def _print_rates(found: Sequence[rates.Row], last: timedelta, *, as_json: bool) -> None:
    if as_json:
        show.document([rate.document() for rate in found])
    else:
        show.put(rates.table(found, last))


def _document(counted: Stats) -> dict[str, object]:
    return counted._asdict() | {"by_queue": {name: queue._asdict() for name, queue in counted.by_queue.items()}}


def _print_tables(counted: Stats, now: datetime) -> None:
    states = show.table("state", "#jobs")
    for state, count in counted.by_state.items():
        states.add_row(show.state(state), f"{count:,}")
    states.add_row("total", f"{counted.total:,}", style="bold")
    kinds = show.table("kind", "#jobs", narrow={"kind": 12})
    for kind, count in sorted(counted.by_kind.items()):
        kinds.add_row(show.text(kind), f"{count:,}")
    show.put(states, show.text(), _queue_table(counted.by_queue, now), show.text(), kinds)


def _queue_table(queues: Mapping[str, QueueStats], now: datetime) -> "Table":
    table = show.table("queue", "#jobs", "#due", "#oldest due", "", narrow={"queue": 12})
    for name, queue in sorted(queues.items()):
        age = "-" if queue.oldest_due is None else span(now - queue.oldest_due)
        paused = "[yellow]paused[/yellow]" if queue.paused else ""
        table.add_row(show.text(name), f"{queue.total:,}", f"{queue.due:,}", age, paused)
    return table
