"""`tallystick workers`: list the workers of a store."""

from datetime import UTC, datetime

from ..contract.registers import WorkerInfo
from . import show
from .options import Json, Url, examples, opened
from .times import relative, span

EXAMPLES = examples("tallystick workers", "tallystick workers --json | jq '.[] | select(.state == \"lost\").worker'")


def workers(*, url: Url = None, as_json: Json = False) -> None:
    """List the workers, and the jobs that each of them runs.

    A worker is active, draining (it stops), or lost: it has not reported for
    longer than its ttl, because it was killed or cannot reach the store.

    With --json: an array of objects with the keys worker, host, pid, version,
    queues, concurrency, started_at, running [{id, attempt, kind, since}],
    busy, draining, seen_at, ttl (seconds) and state.
    """
    with opened(url) as store:
        found = store.workers()
    now = datetime.now(UTC)
    if as_json:
        show.document([_document(worker, now) for worker in found])
        return
    table = show.table(
        "worker",
        "state",
        "seen",
        "host",
        "#pid",
        "version",
        "queues",
        "#busy",
        "longest",
        narrow={"worker": 12, "host": 8, "queues": 8, "longest": 12},
        drop=("version", "host", "pid", "longest"),
        beneath="longest",
    )
    for worker in found:
        table.add_row(
            show.text(worker.worker),
            _STYLED[_state(worker, now)],
            relative(worker.seen_at, now),
            show.text(worker.host),
            str(worker.pid),
            show.text(worker.version),
            show.text(", ".join(worker.queues)),
            f"{worker.busy}/{worker.concurrency}",
            _longest(worker),
        )
    show.listed(table, "no worker has reported to this store")


_STYLED = {"active": "[green]active[/green]", "draining": "[yellow]draining[/yellow]", "lost": "[red]lost[/red]"}


def _state(worker: WorkerInfo, now: datetime) -> str:
    if not worker.is_alive(now):
        return "lost"
    return "draining" if worker.draining else "active"


def _longest(worker: WorkerInfo) -> str:
    if not worker.running:
        return "-"
    longest = worker.running[0]
    return f"{show.printable(longest.kind)} for {span(worker.seen_at - longest.since)}"


def _document(worker: WorkerInfo, now: datetime) -> dict[str, object]:
    running = [
        {"id": each.claim.id, "attempt": each.claim.attempt, "kind": each.kind, "since": each.since}
        for each in worker.running
    ]
    more = {"running": running, "ttl": worker.ttl.total_seconds(), "state": _state(worker, now)}
    return worker._asdict() | more
