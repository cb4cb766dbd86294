"""`tallystick workers`."""

from datetime import UTC, datetime, timedelta

from tallystick import Backend, Beat, Claim, Running, WorkerInfo
from uuid_utils.compat import uuid7

from .conftest import Cli

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


def beat(store: Backend, worker: str, *, at: datetime = NOW, running: tuple[Running, ...] = (), **fields: bool) -> None:
    """Store a beat that counts for an hour."""
    beat = Beat(
        worker=worker,
        host="web-1",
        pid=7,
        version="1.2",
        queues=("emails", "reports"),
        concurrency=4,
        started_at=at - MINUTE,
        running=running,
        busy=len(running),
        **fields,
    )
    store.beat(beat, ttl=60 * MINUTE, now=at)


def test_workers_lists_one_line_for_each_worker(cli: Cli, store: Backend) -> None:
    """`workers` shows what each worker serves and runs, and whether it is active, draining or lost."""
    beat(store, "w-1", running=(Running(Claim(uuid7(), 1), "send", NOW - 5 * MINUTE),))
    beat(store, "w-2", draining=True)
    beat(store, "w-3", at=NOW - 180 * MINUTE)
    header, first, second, third = cli("workers", COLUMNS="40").out.splitlines()
    assert header.split() == ["worker", "state", "seen", "host", "pid", "version", "queues", "busy", "longest"]
    assert first.split()[:2] == ["w-1", "active"]
    assert first.endswith("web-1    7  1.2      emails, reports   1/4  send for 5 min")
    assert second.split()[:2] == ["w-2", "draining"]
    assert third.split()[:5] == ["w-3", "lost", "3", "h", "ago"]


def test_workers_as_json(cli: Cli, store: Backend) -> None:
    """With --json, a worker has the fields of `WorkerInfo` and its state, and each attempt is an object."""
    id = uuid7()
    beat(store, "w-1", running=(Running(Claim(id, 2), "send", NOW),))
    [worker] = cli("workers", "--json").json
    assert list(worker) == [*WorkerInfo._fields, "state"]
    assert (worker["ttl"], worker["state"], worker["queues"]) == (3_600, "active", ["emails", "reports"])
    [running] = worker["running"]
    assert (running["id"], running["attempt"], running["kind"]) == (str(id), 2, "send")
