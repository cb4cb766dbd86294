"""`tallystick stats`: count the jobs in a store."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..records import QueueStats, Stats
from . import show
from .options import Json, Url, examples, opened
from .times import span

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = examples("tallystick stats", "tallystick stats --json | jq .by_queue.emails.due")


def stats(*, url: Url = None, as_json: Json = False) -> None:
    """Count the jobs by state, by queue and by kind.

    With --json: an object with the keys total, by_state {state: count},
    by_kind {kind: count} and by_queue {queue: {total, due, oldest_due,
    paused}}.
    """
    with opened(url) as store:
        counted = store.stats()
    if as_json:
        show.document(_document(counted))
    else:
        _print_tables(counted, datetime.now(UTC))


def _document(counted: Stats) -> dict[str, object]:
    return counted._asdict() | {"by_queue": {name: queue._asdict() for name, queue in counted.by_queue.items()}}


def _print_tables(counted: Stats, now: datetime) -> None:
    states = show.table("state", "#jobs")
    for state, count in counted.by_state.items():
        states.add_row(show.state(state), f"{count:,}")
    states.add_row("total", f"{counted.total:,}", style="bold")
    kinds = show.table("kind", "#jobs")
    for kind, count in sorted(counted.by_kind.items()):
        kinds.add_row(show.text(kind), f"{count:,}")
    show.put(states, show.text(), _queue_table(counted.by_queue, now), show.text(), kinds)


def _queue_table(queues: Mapping[str, QueueStats], now: datetime) -> "Table":
    table = show.table("queue", "#jobs", "#due", "#oldest due", "")
    for name, queue in sorted(queues.items()):
        age = "-" if queue.oldest_due is None else span(now - queue.oldest_due)
        paused = "[yellow]paused[/yellow]" if queue.paused else ""
        table.add_row(show.text(name), f"{queue.total:,}", f"{queue.due:,}", age, paused)
    return table
