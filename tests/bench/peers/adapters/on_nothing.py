"""The limits: bare loops without leases, fences, records, retries and handlers."""

import heapq
import sqlite3
from time import monotonic
from typing import Any

from child import batches, begin

_TAKE = {
    "postgresql": """\
UPDATE raw_jobs SET state = 1
WHERE id = ANY (ARRAY(SELECT id FROM raw_jobs WHERE state = 0 ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED))
RETURNING id, payload""",
    "sqlite": """\
UPDATE raw_jobs SET state = 1
WHERE id IN (SELECT id FROM raw_jobs WHERE state = 0 ORDER BY id LIMIT 1000) RETURNING id, payload""",
}
_INSERT = "INSERT INTO raw_jobs (id, state, payload) VALUES (?, 0, ?)"

_INSERT_ARRAYS = """\
INSERT INTO raw_jobs (id, state, payload)
SELECT id, 0, payload FROM unnest(%b::bigint[], %b::bytea[]) AS new (id, payload)"""


def _connect(target: str) -> Any:
    if target.startswith("postgresql"):
        import psycopg  # noqa: PLC0415  # the limits of the other stores do not need it

        return psycopg.connect(target, autocommit=True)
    connection = sqlite3.connect(target, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def setup(target: str) -> None:
    """Create the tables."""
    binary = "bytea" if target.startswith("postgresql") else "blob"
    connection = _connect(target)
    connection.execute(f"CREATE TABLE raw_jobs (id bigint PRIMARY KEY, state int NOT NULL, payload {binary} NOT NULL)")
    connection.execute("CREATE INDEX raw_waiting ON raw_jobs (id) WHERE state = 0")
    connection.close()


def enqueue_one(target: str, jobs: int) -> float:
    """Insert single rows."""
    connection = _connect(target)
    insert = _INSERT.replace("?", "%s") if target.startswith("postgresql") else _INSERT
    began = monotonic()
    for n in range(jobs):
        connection.execute(insert, (n, b'{"n": %d}' % n))
    return monotonic() - began


def enqueue_batch(target: str, jobs: int) -> float:
    """Insert batches of rows."""
    connection = _connect(target)
    began = monotonic()
    for numbers in batches(jobs):
        payloads = [b'{"n": %d}' % n for n in numbers]
        if target.startswith("postgresql"):
            connection.execute(_INSERT_ARRAYS, (list(numbers), payloads))
        else:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, zip(numbers, payloads, strict=True))
            connection.execute("COMMIT")
    return monotonic() - began


def work(target: str) -> None:
    """Claim and delete batches of rows until none is left."""
    connection = _connect(target)
    begin()
    if target.startswith("postgresql"):
        while claimed := connection.execute(_TAKE["postgresql"]).fetchall():
            connection.execute("DELETE FROM raw_jobs WHERE id = ANY (%s)", ([id for id, _ in claimed],))
        return
    while claimed := connection.execute(_TAKE["sqlite"]).fetchall():
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM raw_jobs WHERE id = ?", [(id,) for id, _ in claimed])
        connection.execute("COMMIT")


def alone(jobs: int, pings: int) -> dict[str, object]:
    """Put jobs into a heap and a dict, take them, and mark them done."""
    heap: list[tuple[int, int]] = []
    records: dict[int, str] = {}
    began = monotonic()
    for n in range(jobs):
        heapq.heappush(heap, (0, n))
        records[n] = "pending"
    enqueued = monotonic()
    while heap:
        _, n = heapq.heappop(heap)
        records[n] = "running"
        records[n] = "completed"
    return {"enqueue_one": enqueued - began, "drain": monotonic() - enqueued, "latencies": []}
