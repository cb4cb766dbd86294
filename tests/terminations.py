"""Stop a supervisor by SIGTERM while its processes work, and check the books.

`PYTHONPATH=tests python tests/terminations.py {sqlite,postgres} [--rounds 20]`

The script fails if a supervisor does not exit with 0 in time, or if a job was lost, ran twice or lost an attempt.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import monotonic

from servers import postgres_server
from support import JOBS, PATIENCE, eventually
from tallystick import Backend, Filter, NewRecord, Record, State, open_backend

MAX_ATTEMPTS = 20
PROCESSES = 2
IN_TIME = 60
"""Seconds from the signal to the exit. The jobs take microseconds, so the rest is the machine."""


def supervisor(url: str, log: Path, *options: str, processes: int = PROCESSES) -> "subprocess.Popen[str]":
    """Start a supervisor of worker processes."""
    command = [sys.executable, "-m", "tallystick.cli", "worker", "supervised:runner", "--backend", url]
    return subprocess.Popen(
        [*command, "--processes", str(processes), *options],
        cwd=JOBS,
        env={**os.environ, "JOBS_LOG": str(log)},
        stderr=subprocess.PIPE,
        text=True,
    )


def runs(log: Path) -> list[tuple[int, int, int]]:
    """Return number, attempt and process of each run of a handler."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(number), int(attempt), int(pid)) for number, attempt, pid in map(str.split, lines)]


def terminate(backend: Backend, url: str, log: Path, *, jobs: int, after: int) -> float:
    """Enqueue jobs, and stop a supervisor after some of them have run. Return how long the stop took."""
    before = len(runs(log))
    first = backend.stats().total
    backend.insert([NewRecord(kind="count", payload=str(first + n).encode()) for n in range(jobs)])
    with supervisor(url, log) as process:
        try:
            eventually(lambda: len(runs(log)) >= before + after or process.poll() is not None)
            began = monotonic()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err, err
    return monotonic() - began


def check_books(backend: Backend, log: Path) -> tuple[int, int]:
    """Check that each job is waiting or has run once, without losing an attempt. Return how many did which."""
    records = list(_records(backend))
    waiting = [record for record in records if record.state is State.PENDING]
    completed = [record for record in records if record.state is State.COMPLETED]
    assert len(waiting) + len(completed) == len(records), Counter(record.state for record in records)
    assert {record.max_attempts - record.attempt for record in waiting} <= {MAX_ATTEMPTS}
    assert {record.max_attempts - record.attempt for record in completed} <= {MAX_ATTEMPTS - 1}
    ran = Counter(number for number, _, _ in runs(log))
    assert ran == Counter(int(record.payload) for record in completed)
    return len(waiting), len(completed)


def _records(backend: Backend) -> Iterator[Record]:
    page = backend.list(Filter(), limit=1_000)
    while page:
        yield from page
        page = backend.list(Filter(), limit=1_000, after=page[-1].id)


@contextmanager
def store(name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new store."""
    if name == "sqlite":
        yield f"sqlite:///{folder}/jobs.db"
        return
    with postgres_server() as server:
        yield server.url


def main() -> None:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", choices=["sqlite", "postgres"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=3_000, help="enqueued in each round")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = Random(options.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        store(options.store, Path(folder)) as url,
        open_backend(url) as backend,
    ):
        backend.setup()
        log = Path(folder) / "log"
        for number in range(options.rounds):
            after = random.randrange(options.jobs)
            seconds = terminate(backend, url, log, jobs=options.jobs, after=after)
            waiting, completed = check_books(backend, log)
            print(f"round {number + 1}: stopped in {seconds:.1f} s; {completed:,} completed, {waiting:,} wait")
            assert seconds < IN_TIME
    print("no job was lost, ran twice or lost an attempt")


if __name__ == "__main__":
    main()
