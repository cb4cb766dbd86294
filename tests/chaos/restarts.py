"""Crash and restart a server while several processes enqueue and work jobs; check that no job is lost.

`PYTHONPATH=tests python tests/chaos/restarts.py {postgres,mongo,mongo-set} [--jobs N] [--workers 4] [--restarts 3]`

PostgreSQL is stopped with `-m immediate` and recovers from its log. The tests' MongoDB server is killed with -9 and
keeps its documents in a file; with `mongo-set`, a replica set of three for its clients, another member becomes the
primary.

The script fails if a job never ran or did not complete, if one attempt ran twice, or if a worker gave up. It prints how
many jobs ran more than once, which happens if an attempt outlives its lease.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, Protocol

from servers import mongo_server, postgres_server
from tallystick import Backend, Filter, NewRecord, Record, State, Unavailable, open_backend

COUNT = Path(__file__).parent.parent / "jobs" / "count.py"
LEASE_SECONDS = "5"
LONGEST = 600

JOBS = {"postgres": 50_000, "mongo": 400, "mongo-set": 400}
"""The default number of jobs for each server."""

BATCH = {"postgres": 1_000, "mongo": 100, "mongo-set": 100}


class Server(Protocol):
    """A server that can crash."""

    @property
    def url(self) -> str:
        """Return the URL of a store."""

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""

    def crash(self) -> None:
        """Crash the server."""


class Outcome(NamedTuple):
    """The numbers of jobs that were enqueued, completed and ran more than once, and of jobs by their attempts."""

    jobs: int
    completed: int
    ran_again: int
    attempts: Counter[int]
    down_seconds: float


def server(name: str, folder: Path) -> AbstractContextManager[Server]:
    """Run a server that keeps acknowledged writes during the block."""
    if name == "postgres":
        return postgres_server()
    return mongo_server(members=3 if name == "mongo-set" else 0, file=folder / "documents")


@contextmanager
def workers(url: str, log: Path, count: int) -> Iterator[None]:
    """Run worker processes during the block; each must exit by itself after SIGTERM."""
    command = [sys.executable, str(COUNT), url, str(log), LEASE_SECONDS]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        yield
        assert all(process.poll() is None for process in processes), "a worker gave up"
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * count


def run(name: str, *, jobs: int, count: int, restarts: int) -> Outcome:
    """Run jobs while the server restarts, and return the numbers from the store and the handlers."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        server(name, folder := Path(temporary)) as crashing,
        open_backend(crashing.url) as backend,
    ):
        log = folder / "log"
        backend.setup()
        with workers(crashing.url, log, count):
            for start in range(0, jobs, BATCH[name]):
                numbers = range(start, min(start + BATCH[name], jobs))
                backend.insert([NewRecord(kind="count", payload=str(n).encode()) for n in numbers])
            down = sum(_restart_at(crashing, backend, jobs * (n + 1) // (restarts + 1)) for n in range(restarts))
            _until(lambda: _completed(backend) == jobs)
        ran = Counter(tuple(map(int, line.split()[:2])) for line in log.read_text().splitlines())
        assert max(ran.values()) == 1, "an attempt ran twice"
        runs = Counter(number for number, _ in ran)
        assert set(runs) == set(range(jobs)), "a job never ran"
        return Outcome(
            jobs,
            _completed(backend),
            sum(times > 1 for times in runs.values()),
            Counter(record.attempt for record in _all(backend)),
            down,
        )


def _restart_at(server: Server, backend: Backend, completed: int) -> float:
    _until(lambda: _completed(backend) >= completed)
    began = monotonic()
    server.crash()
    server.start()
    return monotonic() - began


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
        assert monotonic() < deadline, f"the condition was not true within {LONGEST} s"
        sleep(0.05)


def main() -> None:
    """Run, and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=JOBS)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--restarts", type=int, default=3)
    options = parser.parse_args()
    jobs = options.jobs or JOBS[options.server]
    outcome = run(options.server, jobs=jobs, count=options.workers, restarts=options.restarts)
    print(outcome)
    sys.exit(outcome.completed != outcome.jobs)


if __name__ == "__main__":
    main()
