"""Move many jobs and schedules from SQLite to PostgreSQL, to MongoDB and back, and check that they are identical.

`PYTHONPATH=tests python tests/round_trip.py [--jobs 100000] [--through postgres mongo]`

The jobs are in every state, with payloads of any bytes, errors, tags, meta and unique keys. Each move is a pipe of
`tallystick jobs export` and `tallystick jobs import`. The script prints the time and the largest memory of both
processes. MongoDB stores milliseconds, so the jobs that come back have the times that `restore` rounds to this.

Without `--mongo URL`, the server is that of the tests, written in Python.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from servers import mongo, postgres
from tallystick import (
    Advance,
    Backend,
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    NewSchedule,
    Outcome,
    ProgressReport,
    Record,
    Retry,
    State,
    UniqueUntil,
    open_backend,
    tick_id,
)
from tallystick.backends import restore_calls

NOW = datetime.now(UTC).replace(microsecond=123_456) - timedelta(days=2)
"""After this time, the jobs are worked for a day. Imports read the clock, so some keys are held for longer."""

BATCH = 1_000
LEASE = timedelta(hours=1)
FIRST = Failure("OSError", "disk \0 \ud800", "a traceback\nof two lines")
UNTIL: tuple[UniqueUntil, ...] = ("started", "finished", "purged", timedelta(days=30))


def fill(store: Backend, jobs: int) -> None:
    """Enqueue jobs and work them, so that each state has a sixth of them."""
    for start in range(0, jobs, BATCH):
        size = min(BATCH, jobs - start)
        now = NOW + start * timedelta(milliseconds=1)
        store.insert([_new(start + n) for n in range(size)], now=now)
        for state in (state for state in State if state is not State.PENDING):
            _work(store, state, now, failures=21 if start == 0 else 1)
    store.cancel(Filter(states=[State.RUNNING]), limit=max(1, jobs // 20), now=NOW)
    _schedule(store)


def _schedule(store: Backend) -> None:
    """Store schedules that are new, have fired, are paused and have ended. Their ticks add no jobs."""
    tick = NOW.replace(minute=0, second=0, microsecond=0)
    names = ("ended", "fired", "new", "paused")
    fields: dict[str, Any] = {"kind": "k", "queue": State.PENDING, "payload": b"\xff", "after": tick - LEASE}
    new = [NewSchedule(name=name, rule="@hourly", **fields) for name in names]
    ended, fired, _, paused = store.put_schedules(new, now=tick)
    advances = [
        Advance(name=ended.name, revision=1, ticks=(tick,), next_tick=None),
        Advance(name=fired.name, revision=1, ticks=(tick,), next_tick=tick + LEASE),
        Advance(name=paused.name, revision=1, next_tick=tick, paused=True),
    ]
    store.advance(advances, now=tick)
    store.delete(Filter(ids=[tick_id(one.name, tick) for one in (ended, fired)]), limit=2)


def _new(number: int) -> NewRecord:
    return NewRecord(
        kind=f"kind:{number % 5}",
        queue=list(State)[number % len(State)],
        payload=f'{{"n": {number}}}'.encode() if number % 3 else bytes(range(256)),
        priority=number % 7 - 3,
        tags=("moved", f"tag {number % 11}") if number % 2 else (),
        meta={"trace": "\0é"} if number % 4 == 0 else {},
        unique_key=f"key {number}" if number % 3 == 0 else None,
        unique_until=UNTIL[number // 3 % len(UNTIL)],
    )


def _work(store: Backend, state: State, began: datetime, *, failures: int) -> None:
    """Work the jobs of a queue until they are in its state."""
    attempts = failures if state is State.RETRYING else 1
    for attempt in range(attempts):
        now = began + attempt * LEASE
        claims = [record.claim for record in store.claim([state], limit=BATCH, worker="w", lease=LEASE, now=now)]
        if began == NOW:
            reports = [ProgressReport(claim, n / BATCH, f"step {n}") for n, claim in enumerate(claims)]
            store.report_progress(reports, now=now)
        outcomes = [_outcome(state, claim, n) for n, claim in enumerate(claims)]
        store.settle([outcome for outcome in outcomes if outcome is not None], now=now + LEASE / 2)


def _outcome(state: State, claim: Claim, number: int) -> Outcome | None:
    match state:
        case State.RETRYING:
            return Retry(claim, LEASE / 2, FIRST)
        case State.COMPLETED:
            return Complete(claim, (b"\xff\0", b'"done"', None)[number % 3])
        case State.DISCARDED:
            return Discard(claim, Failure("ValueError", f"job {number}"))
        case State.CANCELLED:
            return Cancel(claim)
        case _:
            return None


def every(store: Backend) -> Iterator[Sequence[Record]]:
    """Yield all records with their errors, page by page."""
    after = None
    while page := store.list(Filter(), limit=BATCH, after=after):
        yield list(store.get([record.id for record in page]).values())
        after = page[-1].id


def digests(store: Backend, rounded_for: Backend | None = None) -> dict[UUID, bytes]:
    """Return a digest of each record, as another store would keep it if one is given."""
    found: dict[UUID, bytes] = {}
    for page in every(store):
        kept = page if rounded_for is None else restore_calls.restore(page, rounded_for.capabilities, now=NOW).records
        found |= {record.id: sha256(repr(record).encode("utf-8", "surrogatepass")).digest() for record in kept}
    return found


def seen(store: Backend) -> Mapping[str, Any]:
    """Return what the counts and the known queues say, and what each store keeps of the schedules."""
    stats = store.stats(now=NOW)
    schedules = [one._replace(revision=1, updated_at=NOW) for one in store.schedules()]
    counts = {"by_state": dict(stats.by_state), "by_kind": dict(stats.by_kind)}
    return counts | {"queues": list(store.queues()), "schedules": schedules}


def held(store: Backend, jobs: int) -> list[bool]:
    """Return for each unique key whether a job holds it. The jobs that this inserts stay."""
    new = [NewRecord(kind="k", unique_key=f"key {number}") for number in range(0, jobs, 3)]
    parts = (new[start : start + BATCH] for start in range(0, len(new), BATCH))
    return [not answer.created for part in parts for answer in store.insert(part, now=NOW)]


def _move(source: str, target: str) -> str:
    """Move everything by the two commands, and return the figures."""
    began = monotonic()
    command = [sys.executable, "-m", "tallystick.cli", "jobs"]
    with subprocess.Popen([*command, "export", "--schedules", "--backend", source], stdout=subprocess.PIPE) as export:
        importing = subprocess.Popen([*command, "import", "--backend", target], stdin=export.stdout)
        assert export.stdout is not None
        export.stdout.close()
        largest = {export.pid: 0, importing.pid: 0}
        while export.poll() is None or importing.poll() is None:
            largest = {pid: max(peak, _memory(pid)) for pid, peak in largest.items()}
            sleep(0.05)
        assert (export.returncode, importing.returncode) == (0, 0)
    shown = ", ".join(f"{bytes / 2**20:.0f} MiB" for bytes in largest.values())
    return f"{monotonic() - began:.1f} s, at most {shown}"


def _memory(pid: int) -> int:
    """Return the resident memory of a process, or 0 if it has ended. Only Linux shows it here."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _require_same(expected: object, found: object, where: str) -> None:
    if expected != found:
        sys.exit(f"{where} differs from the first store")


_SERVERS: Mapping[str, Callable[[str | None], AbstractContextManager[str]]] = {
    "postgres": partial(postgres, durable=False),
    "mongo": mongo,
}


def main() -> None:
    """Fill a store, move its jobs through the others, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--through", nargs="+", choices=_SERVERS, default=list(_SERVERS), help="the stores between")
    parser.add_argument("--postgres", metavar="URL", help="a server; by default a new one")
    parser.add_argument("--mongo", metavar="URL", help="a server; by default a new one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        between = [stack.enter_context(_SERVERS[name](getattr(options, name))) for name in options.through]
        urls = [f"sqlite:///{folder}/first.db", *map(_database, between), f"sqlite:///{folder}/last.db"]
        stores = [stack.enter_context(open_backend(url)) for url in urls]
        for store in stores:
            store.teardown()
            store.setup()
        _compare(urls, stores, options.jobs)
        for store in stores:
            store.teardown()
    print("identical")


def _compare(urls: Sequence[str], stores: Sequence[Backend], jobs: int) -> None:
    began = monotonic()
    fill(stores[0], jobs)
    first = seen(stores[0])
    print(f"filled with {jobs:,} jobs in {monotonic() - began:.1f} s: {first['by_state']}", flush=True)
    coarsest = max(stores, key=lambda store: store.capabilities.time_precision)
    exact, rounded = digests(stores[0]), digests(stores[0], coarsest)
    assert len(exact) == jobs
    passed_coarsest = False
    for n, store in enumerate(stores[1:], 1):
        names = " -> ".join(url.partition(":")[0] for url in urls[n - 1 : n + 1])
        print(f"{names}: {_move(urls[n - 1], urls[n])}", flush=True)
        passed_coarsest = passed_coarsest or store is coarsest
        _require_same(rounded if passed_coarsest else exact, digests(store), names)
        _require_same(first, seen(store), f"{names}: counts")
    print(f"repeated: {_move(urls[-2], urls[-1])}", flush=True)
    _require_same(rounded, digests(stores[-1]), "the repeated import")
    _require_same(held(stores[0], jobs), held(stores[-1], jobs), "the holders of keys")


def _database(url: str) -> str:
    """Return the URL with a database, which that of MongoDB's server lacks."""
    if not url.startswith("mongodb"):
        return url
    head, _, query = url.partition("?")
    return f"{head.rstrip('/')}/round_trip{'?' if query else ''}{query}"


if __name__ == "__main__":
    main()
