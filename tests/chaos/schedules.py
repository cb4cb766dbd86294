"""Fire a schedule of every second from ten runners in four processes, and kill two runners with -9.

`PYTHONPATH=tests python tests/chaos/schedules.py {sqlite,postgres,mongo,mongo-set} [--minutes 5]`

The schedule's policy for missed ticks is `all`. The script fails if a tick has no job or two, if a job did not
complete, or if one attempt ran twice. It prints how many ticks ran late, and how many jobs ran a second attempt because
a killed process had begun them.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from servers import mongo_server, postgres_server
from tallystick import Backend, Filter, NewSchedule, Record, State, open_backend, tick_id

TICKS = Path(__file__).parent.parent / "jobs" / "ticks.py"
STORES = ("sqlite", "postgres", "mongo", "mongo-set")
RUNNERS = (4, 4, 1, 1)
"""The runners of each process. The last two processes are killed, so that two runners die."""

SECOND = timedelta(seconds=1)
NAME = "every-second"
LATE = timedelta(seconds=2)
LONGEST = 600
"""The seconds after the last tick in which all jobs must have completed."""


class Outcome(NamedTuple):
    """The numbers of ticks, of ticks that began late, and of jobs that ran a second attempt."""

    ticks: int
    late: int
    ran_again: int
    latest: timedelta


@contextmanager
def store(name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new store that keeps acknowledged writes."""
    match name:
        case "sqlite":
            yield f"sqlite:///{folder}/jobs.db"
        case "postgres":
            with postgres_server() as server:
                yield server.url
        case _:
            with mongo_server(members=3 if name == "mongo-set" else 0, file=folder / "documents") as server:
                yield server.url


@contextmanager
def processes(url: str, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the processes during the block. Those that were not killed must exit by themselves after SIGTERM."""
    started = [
        subprocess.Popen([sys.executable, str(TICKS), url, str(log), str(count)], stdout=subprocess.PIPE)
        for count in RUNNERS
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.communicate(timeout=120)
    codes = [process.returncode for process in started]
    assert codes == [0, 0, -signal.SIGKILL, -signal.SIGKILL], f"exit codes {codes}"


def run(name: str, *, minutes: float) -> Outcome:
    """Fire the schedule, and return the numbers from the store and the handlers."""
    with tempfile.TemporaryDirectory() as temporary, store(name, Path(temporary)) as url, open_backend(url) as backend:
        backend.setup()
        log = Path(temporary) / "log"
        with processes(url, log) as started:
            start = datetime.now(UTC).replace(microsecond=0) + 5 * SECOND
            end = start + timedelta(minutes=minutes) // SECOND * SECOND
            rule = NewSchedule(
                name=NAME, rule="every second", kind="tick", payload=b"null", start=start, end=end, missed="all"
            )
            backend.put_schedules([rule])
            for position, process in enumerate(started[2:], 1):
                _sleep_until(start + (end - start) * position / 3)
                process.kill()
            _sleep_until(end)
            _until(lambda: _is_done(backend))
        ticks = [start + n * SECOND for n in range((end - start) // SECOND)]
        return _checked(ticks, list(_jobs(backend)), log.read_text().splitlines())


def _checked(ticks: list[datetime], jobs: list[Record], lines: list[str]) -> Outcome:
    assert {job.id for job in jobs} == {tick_id(NAME, tick) for tick in ticks}, "a tick has no job, or another time has"
    assert len(jobs) == len(ticks), "a tick has two jobs"
    assert all(job.state is State.COMPLETED for job in jobs), "a job did not complete"
    runs = [(datetime.fromisoformat(tick), int(attempt)) for tick, attempt, _ in map(str.split, lines)]
    assert len(runs) == len(set(runs)), "an attempt ran twice"
    assert {tick for tick, _ in runs} == set(ticks), "a job never ran"
    waits = [job.created_at - tick for job, tick in zip(sorted(jobs, key=lambda job: job.id), ticks, strict=True)]
    return Outcome(len(ticks), sum(wait > LATE for wait in waits), len(runs) - len(ticks), max(waits))


def _is_done(backend: Backend) -> bool:
    [schedule] = backend.schedules([NAME])
    stats = backend.stats()
    return schedule.next_tick is None and stats.total == stats.by_state[State.COMPLETED]


def _jobs(backend: Backend) -> Iterator[Record]:
    after = None
    while page := backend.list(Filter(), limit=1_000, after=after):
        yield from page
        after = page[-1].id


def _sleep_until(moment: datetime) -> None:
    while (left := moment - datetime.now(UTC)) > timedelta(0):
        sleep(min(left, SECOND).total_seconds())


def _until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + LONGEST
    while not condition():
        assert monotonic() < deadline, f"the condition was not true within {LONGEST} s"
        sleep(0.2)


def main() -> None:
    """Run, and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", choices=STORES)
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    print(run(options.store, minutes=options.minutes))


if __name__ == "__main__":
    main()
