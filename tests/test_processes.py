"""Several processes on one store."""

import signal
from collections import Counter
from pathlib import Path

from support import PATIENCE, Spawn, eventually
from tallystick import Filter, NewRecord, State, open_backend

JOBS = 4_000
FEW_JOBS = 300
"""The number for the tests' MongoDB server, which searches collections slowly."""


def test_each_job_is_handled_once_by_two_workers_while_a_third_process_enqueues(
    shared_url: str, spawn: Spawn, tmp_path: Path
) -> None:
    """Two worker processes handle the jobs of an enqueuing process exactly once, and none is left."""
    log = tmp_path / "log"
    jobs = FEW_JOBS if shared_url.startswith("mongodb:") else JOBS
    with open_backend(shared_url) as backend:
        backend.setup()
        workers = [spawn("count.py", shared_url, str(log), "30", "2") for _ in range(2)]
        enqueuer = spawn("enqueue.py", shared_url, str(jobs))
        assert enqueuer.wait(timeout=PATIENCE) == 0
        eventually(lambda: backend.stats().by_state[State.COMPLETED] == jobs)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(timeout=PATIENCE) for worker in workers] == [0, 0]
        stats = backend.stats()
    runs = [line.split() for line in log.read_text().splitlines()]
    assert Counter(int(number) for number, _, _ in runs) == Counter(range(jobs))
    assert {attempt for _, attempt, _ in runs} == {"1"}
    assert len({pid for _, _, pid in runs}) == 2
    assert stats.by_state[State.COMPLETED] == stats.total == jobs


def test_no_job_is_lost_when_its_worker_is_killed(shared_url: str, spawn: Spawn, tmp_path: Path) -> None:
    """The jobs of a worker that was killed with -9 are rescued and completed by another at their second attempt."""
    log = tmp_path / "log"
    with open_backend(shared_url) as backend:
        backend.setup()
        backend.insert([NewRecord(kind="count", payload=str(n).encode()) for n in range(200)])
        victim = spawn("hold.py", shared_url, "1")
        assert victim.stdout is not None
        unfinished = {int(victim.stdout.readline()) for _ in range(4)}
        victim.kill()
        victim.wait()
        survivor = spawn("count.py", shared_url, str(log), "1")
        eventually(lambda: backend.stats().by_state[State.COMPLETED] == 200)
        survivor.send_signal(signal.SIGTERM)
        assert survivor.wait(timeout=PATIENCE) == 0
        records = backend.list(Filter(), limit=1_000)
    attempts = {int(record.payload): record.attempt for record in records}
    assert all(attempts[number] == 2 for number in unfinished)
    rescued = [record for record in records if record.attempt == 2]
    assert {record.last_error.type for record in rescued if record.last_error} == {"LeaseExpired"}
    assert all(record.attempt == 1 and record.last_error is None for record in records if record not in rescued)
    assert sorted(attempts) == list(range(200))
