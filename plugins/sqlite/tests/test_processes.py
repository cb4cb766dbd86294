"""Several processes on one file."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tallystick import Filter, NewRecord, NewSchedule, State
from tallystick_sqlite import SqliteBackend

PROCESSES = 8

WORKER = """
import sys
from datetime import timedelta
from tallystick import Complete, NewRecord
from tallystick_sqlite import SqliteBackend

url, rounds = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
done = 0
with SqliteBackend.from_url(url) as backend:
    backend.setup()
    for _ in range(rounds):
        backend.insert([NewRecord(kind="k") for _ in range(5)])
        claimed = backend.claim(["default"], limit=5, worker="w", lease=timedelta(minutes=5))
        assert all(backend.settle([Complete(record.claim) for record in claimed]))
        done += len(claimed)
print(done)
"""

INSERTER = """
import sys
from tallystick import NewRecord
from tallystick_sqlite import SqliteBackend

with SqliteBackend.from_url(sys.argv[1]) as backend:
    for _ in sys.stdin:
        backend.insert([NewRecord(kind="k")])
        print(flush=True)
"""

ADVANCER = """
import sys
from datetime import datetime, timedelta
from tallystick import Advance
from tallystick_sqlite import SqliteBackend

url, begin, ticks = sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
applied = 0
with SqliteBackend.from_url(url) as backend:
    sys.stdin.readline()
    while (schedule := backend.schedules(["s"])[0]).revision <= ticks:
        tick = begin + schedule.revision * timedelta(hours=1)
        move = Advance(name="s", revision=schedule.revision, ticks=(tick,), next_tick=tick + timedelta(hours=1))
        applied += sum(backend.advance([move], now=tick))
print(applied)
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_processes_set_up_and_write_at_once(url: str) -> None:
    """Eight processes that set up and write without pause never see a locked database, and no job runs twice."""
    workers = [start(WORKER, url, "25") for _ in range(PROCESSES)]
    ended = [worker.communicate("go\n") for worker in workers]
    assert [errors for _, errors in ended] == [""] * PROCESSES
    done = sum(int(output) for output, _ in ended)
    with SqliteBackend.from_url(url) as backend:
        assert backend.stats().total == PROCESSES * 25 * 5
        assert backend.stats().by_state[State.COMPLETED] == done
        assert all(record.attempt == 1 for record in backend.list(Filter(states=[State.COMPLETED]), limit=9999))


def test_processes_that_advance_one_schedule_fire_each_tick_once(url: str, backend: SqliteBackend) -> None:
    """Processes that advance one schedule at once fire each of its ticks exactly once."""
    begin, ticks = datetime(2030, 1, 1, tzinfo=UTC), 25
    backend.put_schedules([NewSchedule(name="s", rule="every hour", kind="k", after=begin)])
    workers = [start(ADVANCER, url, begin.isoformat(), str(ticks)) for _ in range(PROCESSES)]
    ended = [worker.communicate("go\n") for worker in workers]
    assert [errors for _, errors in ended] == [""] * PROCESSES
    assert sum(int(output) for output, _ in ended) == ticks
    found = [record.run_at for record in backend.list(Filter(), limit=100, order="run_at")]
    assert found == [begin + n * timedelta(hours=1) for n in range(1, ticks + 1)]


def test_setup_at_once(url: str, path: Path) -> None:
    """Eight processes that set up at the same moment create one store."""
    workers = [start(WORKER, url, "0") for _ in range(PROCESSES)]
    assert [worker.communicate("go\n") for worker in workers] == [("0\n", "")] * PROCESSES
    with SqliteBackend.from_url(url) as backend:
        assert backend.queues() == []


def test_another_process_wakes_wait(url: str, backend: SqliteBackend) -> None:
    """An insert in another process ends a `wait`, long before its timeout."""
    with start(INSERTER, url) as inserter:
        assert inserter.stdin is not None
        assert inserter.stdout is not None
        for _ in range(5):
            inserter.stdin.write("go\n")
            inserter.stdin.flush()
            assert backend.wait(["default"], timeout=timedelta(hours=1))
            inserter.stdout.readline()
            backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))


def test_a_killed_process_keeps_its_completed_inserts(url: str, backend: SqliteBackend) -> None:
    """After a process is killed, the jobs of its completed inserts exist, and the file stays usable."""
    inserter = start(INSERTER, url)
    assert inserter.stdin is not None
    assert inserter.stdout is not None
    inserter.stdin.write("go\n")
    inserter.stdin.flush()
    inserter.stdout.readline()
    inserter.kill()
    inserter.communicate()
    assert backend.stats().total == 1
    assert backend.insert([NewRecord(kind="k")])[0].created


def test_closing_one_client_keeps_the_log_of_another(url: str, path: Path, backend: SqliteBackend) -> None:
    """Closing one client keeps the POSIX locks of another client in the same process.

    Otherwise another process would take itself for the last one, and remove the write-ahead log.
    """
    backend.insert([NewRecord(kind="k")])
    log = path.with_name(path.name + "-wal").stat().st_ino
    with SqliteBackend.from_url(url) as other:
        other.queues()
    assert start(WORKER, url, "0").communicate("go\n") == ("0\n", "")
    assert path.with_name(path.name + "-wal").stat().st_ino == log
    backend.insert([NewRecord(kind="k")])
    with SqliteBackend.from_url(url) as other:
        assert other.stats().total == 2
