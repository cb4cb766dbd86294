"""Measure claims from PostgreSQL while another session holds a transaction open, so that dead rows cannot be vacuumed.

`PYTHONPATH=tests python tests/bench/long_transaction.py [--minutes 5] [--backlog 20000] [URL]`

This process works a backlog of constant size as fast as it can, while a transaction with an earlier snapshot is open.
For each part of the time, the table shows the median claim of 100 jobs, and how many jobs were worked until then.
"""

import argparse
from datetime import timedelta
from statistics import median
from time import monotonic, perf_counter

import psycopg
from servers import postgres
from tallystick import Backend, Complete, NewRecord, open_backend

LEASE = timedelta(minutes=5)
LIMIT = 100
SCHEMA = "bench_long"
PARTS = 10


def work(backend: Backend) -> float:
    """Work 100 jobs and insert as many; return the duration of the claim in milliseconds."""
    began = perf_counter()
    claimed = backend.claim(["default"], limit=LIMIT, worker="w", lease=LEASE)
    elapsed = perf_counter() - began
    assert len(claimed) == LIMIT
    backend.settle([Complete(record.claim) for record in claimed])
    backend.insert([NewRecord(kind="k", payload=b"{}") for _ in range(LIMIT)])
    return elapsed * 1_000


def main() -> None:
    """Parse the arguments, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--backlog", type=int, default=20_000)
    options = parser.parse_args()
    with postgres(options.url) as url:
        measure(url, options.minutes, options.backlog)


def measure(url: str, minutes: float, backlog: int) -> None:
    """Measure, and print a table."""
    with open_backend(f"{url}?schema={SCHEMA}") as backend, psycopg.connect(url) as holder:
        backend.setup()
        for _ in range(backlog // 1_000):
            backend.insert([NewRecord(kind="k", payload=b"{}") for _ in range(1_000)])
        print(f"{'before':>12}  claim {median(work(backend) for _ in range(50)):8.2f} ms")
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1")
        worked = 0
        for part in range(PARTS):
            until = monotonic() + minutes * 60 / PARTS
            figures = []
            while monotonic() < until:
                figures.append(work(backend))
            worked += len(figures) * LIMIT
            passed = minutes * (part + 1) / PARTS
            print(f"{passed:8.1f} min  claim {median(figures):8.2f} ms  after {worked:,} jobs", flush=True)
        holder.rollback()
        backend.teardown()


if __name__ == "__main__":
    main()
