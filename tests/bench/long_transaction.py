"""Measure claims from PostgreSQL while another session holds a transaction open, so that dead rows cannot be vacuumed.

`PYTHONPATH=tests python tests/bench/long_transaction.py [--minutes 5] [--backlog 20000] [--rate JOBS] [URL]`

This process works a backlog of constant size as fast as it can, while a transaction with an earlier snapshot is open.
For each part of the time, the table shows the median claim of 100 jobs, and how many jobs were worked until then.

With `--rate 800`, it enqueues 800 jobs a second instead, and a worker, another process, works them: for a minute
without the transaction, then with it. For each part of the time, the table shows the rate of the ends, and the jobs
that are left.
"""

import argparse
from datetime import timedelta
from multiprocessing import get_context
from statistics import median
from threading import Event
from time import monotonic, perf_counter, sleep

import psycopg
from servers import postgres
from tallystick import Backend, Complete, Context, Job, NewRecord, Runner, State, open_backend

LEASE = timedelta(minutes=5)
LIMIT = 100
SCHEMA = "bench_long"
PARTS = 10
ROUND = 0.1
"""Seconds between two batches of a constant rate."""


class Noop(Job[None]):
    """Does nothing."""

    kind = "bench:noop"

    def work(self, ctx: Context) -> None:
        """Do nothing."""


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
    parser.add_argument("--rate", type=int, help="enqueue this many jobs a second, for a worker")
    options = parser.parse_args()
    with postgres(options.url) as url:
        if options.rate is None:
            measure(url, options.minutes, options.backlog)
        else:
            keep_up(url, options.minutes, options.rate)


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


def keep_up(url: str, minutes: float, rate: int) -> None:
    """Enqueue jobs at a constant rate, and print how many of them a worker has ended."""
    place = f"{url}?schema={SCHEMA}"
    worker = get_context("spawn").Process(target=work_forever, args=(place,))
    with Runner(place) as runner, psycopg.connect(url) as holder:
        runner.register(Noop)
        runner.backend.setup()
        worker.start()
        try:
            enqueue(runner, rate, 60, parts=1)
            holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            holder.execute("SELECT 1")
            enqueue(runner, rate, minutes * 60, parts=PARTS)
            holder.rollback()
        finally:
            worker.kill()
            worker.join()
        runner.backend.teardown()


def work_forever(place: str) -> None:
    """Work jobs until the process is killed."""
    with Runner(place) as runner:
        runner.register(Noop)
        runner.start()
        Event().wait()


def enqueue(runner: Runner, rate: int, seconds: float, *, parts: int) -> None:
    """Enqueue jobs for some seconds, and print a line for each part of the time."""
    began, sent, before = monotonic(), 0, runner.stats().by_state[State.COMPLETED]
    for part in range(1, parts + 1):
        while (passed := monotonic() - began) < seconds * part / parts:
            due = int(rate * passed) - sent
            if due > 0:
                runner.enqueue_batch([Noop()] * due)
            sent += due
            sleep(ROUND)
        ended = runner.stats().by_state[State.COMPLETED] - before
        print(f"{passed:8.0f} s  {ended / passed:8.0f} jobs/s of {rate}, {sent - ended:,} left", flush=True)


if __name__ == "__main__":
    main()
