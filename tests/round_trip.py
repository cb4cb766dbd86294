"""Move many jobs from SQLite to PostgreSQL, to MongoDB and back to SQLite, and check that they are identical.

`PYTHONPATH=tests python tests/round_trip.py [--jobs 100000]`

The jobs are in every state, with payloads of any bytes, errors, tags, meta and unique keys. Each move is a pipe of
`tallystick jobs export` and `tallystick jobs import`. The script prints the time and the largest memory of both
processes. MongoDB stores milliseconds, so the jobs that come back have the times that `restore` rounds to this.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any
from uuid import UUID

from servers import mongo, postgres
from tallystick import (
    Backend,
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    Outcome,
    Record,
    Retry,
    State,
    UniqueUntil,
    open_backend,
)
from tallystick.backends import restore_calls

NOW = datetime(2026, 11, 29, 8, 0, 0, 123_456, tzinfo=UTC)
BATCH = 1_000
LEASE = timedelta(hours=1)
FIRST = Failure("OSError", "disk \0 \ud800", "a traceback\nof two lines")
UNTIL: tuple[UniqueUntil, ...] = ("started", "finished", "purged", timedelta(days=1))


def fill(store: Backend, jobs: int) -> None:
    """Enqueue jobs and work them, so that each state has a sixth of them."""
    for start in range(0, jobs, BATCH):
        size = min(BATCH, jobs - start)
        now = NOW + start * timedelta(milliseconds=1)
        store.insert([_new(start + n) for n in range(size)], now=now)
        for state in (state for state in State if state is not State.PENDING):
            _work(store, state, now, failures=21 if start == 0 else 1)
    store.cancel(Filter(states=[State.RUNNING]), limit=max(1, jobs // 20), now=NOW)


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
    """Return what the counts and the known queues say."""
    stats = store.stats(now=NOW)
    return {"by_state": dict(stats.by_state), "by_kind": dict(stats.by_kind), "queues": list(store.queues())}


def held(store: Backend, jobs: int) -> list[bool]:
    """Return for each unique key whether a job holds it. The jobs that this inserts stay."""
    new = [NewRecord(kind="k", unique_key=f"key {number}") for number in range(0, jobs, 3)]
    parts = (new[start : start + BATCH] for start in range(0, len(new), BATCH))
    return [not answer.created for part in parts for answer in store.insert(part, now=NOW)]


def _move(source: str, target: str) -> str:
    """Move everything by the two commands, and return the figures."""
    began = monotonic()
    command = [sys.executable, "-m", "tallystick.cli", "jobs"]
    with subprocess.Popen([*command, "export", "--backend", source], stdout=subprocess.PIPE) as export:
        importing = subprocess.Popen([*command, "import", "--backend", target], stdin=export.stdout)
        assert export.stdout is not None
        export.stdout.close()
        memory = []
        for process in (export, importing):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            memory.append(f"{usage.ru_maxrss / 1024:.0f} MiB")
            assert process.returncode == 0
    return f"{monotonic() - began:.1f} s, export {memory[0]}, import {memory[1]}"


def _require_same(expected: object, found: object, where: str) -> None:
    if expected != found:
        sys.exit(f"{where} differs from the first store")


def main() -> None:
    """Fill a store, move its jobs through the others, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--postgres", metavar="URL", help="a server; by default a new one")
    parser.add_argument("--mongo", metavar="URL", help="a server; by default a new one")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres(options.postgres, durable=False) as postgres_url,
        mongo(options.mongo) as mongo_url,
    ):
        urls = [f"sqlite:///{folder}/first.db", postgres_url, _database(mongo_url), f"sqlite:///{folder}/last.db"]
        stores = [open_backend(url) for url in urls]
        for store in stores:
            store.teardown()
            store.setup()
        began = monotonic()
        fill(stores[0], options.jobs)
        print(f"filled with {options.jobs:,} jobs in {monotonic() - began:.1f} s: {seen(stores[0])['by_state']}")
        exact, rounded = digests(stores[0]), digests(stores[0], stores[2])
        assert len(exact) == options.jobs
        for n, expected in ((1, exact), (2, rounded), (3, rounded)):
            names = " -> ".join(url.partition(":")[0] for url in urls[n - 1 : n + 1])
            print(f"{names}: {_move(urls[n - 1], urls[n])}", flush=True)
            _require_same(expected, digests(stores[n]), names)
            _require_same(seen(stores[0]), seen(stores[n]), f"{names}: counts")
        print(f"{urls[-1].partition(':')[0]} repeated: {_move(urls[2], urls[3])}")
        _require_same(rounded, digests(stores[3]), "the repeated import")
        _require_same(held(stores[0], options.jobs), held(stores[3], options.jobs), "the holders of keys")
        for store in stores:
            store.teardown()
            store.close()
    print("identical")


def _database(url: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rstrip('/')}/round_trip{'?' if query else ''}{query}"


if __name__ == "__main__":
    main()
