"""Crash a PostgreSQL server, and start it again, in the middle of everything: what is lost, what is done twice?

`PYTHONPATH=tests python tests/chaos/postgres_restarts.py [--jobs 50000] [--workers 4] [--restarts 3]`

Jobs are enqueued and worked by several processes, while the server is stopped with `-m immediate`, which is a crash (it
recovers from its log), and started again. It fails if a job never ran or did not complete, or if a worker gave up; it
tells how many ran more than once, which happens where the server lost a claim with its last commits or an attempt
outlived its lease.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import psycopg
from servers import PostgresServer, postgres_server
from windlass import Backend, Filter, NewRecord, Record, State, Unavailable, open_backend

COUNT = Path(__file__).parent.parent / "jobs" / "count.py"
LEASE_SECONDS = "5"
LONGEST = 600


class Outcome(NamedTuple):
    """What came of it: of `jobs`, how many completed, ran more than once, and needed more than one attempt."""

    jobs: int
    completed: int
    ran_again: int
    attempts: Counter[int]
    down_seconds: float


@contextmanager
def workers(url: str, log: Path, count: int) -> Iterator[None]:
    """Run worker processes as long as the block; each has to end by itself at a SIGTERM."""
    processes = [
        subprocess.Popen([sys.executable, str(COUNT), url, str(log), LEASE_SECONDS], stdout=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield
        assert all(process.poll() is None for process in processes), "a worker gave up"
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(timeout=60) for process in processes]
    assert ended == [0] * count


def run(jobs: int, count: int, restarts: int) -> Outcome:
    """Do it, and look at what the store and the handlers say."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres_server() as server,
        open_backend(server.url) as backend,
    ):
        log = Path(folder) / "log"
        backend.setup()
        with workers(server.url, log, count):
            _until(lambda: _listening(server.url) == count)
            for start in range(0, jobs, 1_000):
                numbers = range(start, min(start + 1_000, jobs))
                backend.insert([NewRecord(kind="count", payload=str(n).encode()) for n in numbers])
            down = sum(_restart_at(server, backend, jobs * (n + 1) // (restarts + 1)) for n in range(restarts))
            _until(lambda: _completed(backend) == jobs)
        runs = Counter(int(line.split()[0]) for line in log.read_text().splitlines())
        assert set(runs) == set(range(jobs)), "a job never ran"
        return Outcome(
            jobs,
            _completed(backend),
            sum(times > 1 for times in runs.values()),
            Counter(record.attempt for record in _all(backend)),
            down,
        )


def _restart_at(server: PostgresServer, backend: Backend, completed: int) -> float:
    _until(lambda: _completed(backend) >= completed)
    began = monotonic()
    server.stop("immediate")
    server.start()
    return monotonic() - began


def _listening(url: str) -> int:
    """Count the workers that are up, which wait for jobs."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%LISTEN \"windlass%'")
        return sum(int(n) for [n] in found) - 1  # this query names it too


def _completed(backend: Backend) -> int:
    try:
        return backend.stats().by_state[State.COMPLETED]
    except Unavailable:
        return 0


def _all(backend: Backend) -> Iterator[Record]:
    after = None
    while page := backend.list(Filter(), limit=1_000, after=after):
        yield from page
        after = page[-1].id


def _until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + LONGEST
    while not condition():
        assert monotonic() < deadline, "it takes too long"
        sleep(0.05)


def main() -> None:
    """Do it, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--restarts", type=int, default=3)
    options = parser.parse_args()
    outcome = run(options.jobs, options.workers, options.restarts)
    print(outcome)
    sys.exit(outcome.completed != outcome.jobs)


if __name__ == "__main__":
    main()
