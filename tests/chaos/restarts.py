"""Crash a server, and start it again, in the middle of everything: what is lost, what is done twice?

`PYTHONPATH=tests python tests/chaos/restarts.py {postgres,mongo,mongo-set} [--jobs N] [--workers 4] [--restarts 3]`

Jobs are enqueued and worked by several processes, while the server crashes and is started again: PostgreSQL is stopped
with `-m immediate` and recovers from its log, the stand-in of MongoDB is killed with -9 and keeps its documents in a
file. Of `mongo-set`, a replica set of three as its clients see it, another member goes on as the primary. It fails if a
job never ran or did not complete, if one attempt ran twice, or if a worker gave up; it tells how many jobs ran more
than once, which happens where an attempt outlived its lease.
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
"""How many jobs each server bears."""

BATCH = {"postgres": 1_000, "mongo": 100, "mongo-set": 100}


class Server(Protocol):
    """What can crash."""

    @property
    def url(self) -> str:
        """The URL of a store."""

    def start(self) -> None:
        """Start it, and return once it answers."""

    def crash(self) -> None:
        """End it in the middle of everything."""


class Outcome(NamedTuple):
    """What came of it: of `jobs`, how many completed, ran more than once, and needed more than one attempt."""

    jobs: int
    completed: int
    ran_again: int
    attempts: Counter[int]
    down_seconds: float


def server(name: str, folder: Path) -> AbstractContextManager[Server]:
    """Run a server that keeps what it acknowledged, as long as the block."""
    if name == "postgres":
        return postgres_server()
    return mongo_server(members=3 if name == "mongo-set" else 0, file=folder / "documents")


@contextmanager
def workers(url: str, log: Path, count: int) -> Iterator[None]:
    """Run worker processes as long as the block; each has to end by itself at a SIGTERM."""
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
    """Do it, and look at what the store and the handlers say."""
    with (
        tempfile.TemporaryDirectory() as made,
        server(name, folder := Path(made)) as crashing,
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
        assert monotonic() < deadline, "it takes too long"
        sleep(0.05)


def main() -> None:
    """Do it, and tell."""
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
