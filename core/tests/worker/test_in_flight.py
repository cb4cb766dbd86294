"""How many jobs a worker claims ahead, by a clock that the tests move."""

from dataclasses import dataclass
from typing import Any

import pytest
from tallystick.worker import clock, in_flight
from tallystick.worker.in_flight import InFlight

SLOTS, BATCH, SLOW_BATCH = 10, 500, 5_000


@dataclass(eq=False)
class Started:
    """A job that a handler has started."""

    started_at: float = 0.0


class Worker:
    """Claims jobs into an `InFlight`, and ends them, as time passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(in_flight, "monotonic", lambda: self.now)
        monkeypatch.setattr(clock, "seconds", lambda: self.now)
        self.jobs = InFlight(SLOTS, BATCH, SLOW_BATCH)

    def claim(self, *, seconds: float) -> list[int]:
        """Claim jobs while one ends each 5 ms. Return how many were left after each end."""
        room = self.jobs.room()
        if not room:
            return []
        self.jobs.claiming_since = self.now
        left = [self.end_one() for _ in range(int(seconds / 0.005))]
        self.jobs.take(_new(room))
        self.jobs.claiming_since = None
        return left

    def end_one(self) -> int:
        """Let 5 ms pass, and end a job if there is one. Return how many are left."""
        self.now += 0.005
        self.end(1)
        return len(self.jobs.open)

    def end(self, count: int) -> None:
        """End jobs, and settle them."""
        ended = list(self.jobs.open)[:count]
        for attempt in ended:
            self.jobs.end(attempt)
        self.jobs.settled(ended)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Return a worker without jobs."""
    return Worker(monkeypatch)


def test_slow_jobs(worker: Worker) -> None:
    """Jobs of a second that end together are not taken for fast ones: at most one is claimed ahead."""
    most = 0
    for _ in range(20):
        worker.claim(seconds=0.0)
        worker.now += 0.006
        worker.claim(seconds=0.0)
        most = max(most, len(worker.jobs.open))
        worker.now += 1
        worker.end(1)
        worker.now += 0.006
        worker.claim(seconds=0.0)
        worker.end(SLOTS - 1)
        worker.now += 0.006
    assert most <= SLOTS + 1


@pytest.mark.parametrize("seconds", [0.005, 0.05, 0.2])
def test_slow_claims(worker: Worker, seconds: float) -> None:
    """Jobs last until the next claim, however long it takes, but not for more than a second."""
    lows, highs = [], []
    while worker.now < 10:
        left = worker.claim(seconds=seconds) or [worker.end_one()]
        if worker.now > 2:
            lows.append(min(left))
            highs.append(len(worker.jobs.open))
    assert min(lows) > 0
    assert max(highs) <= SLOTS + 1 / 0.005


@pytest.mark.parametrize("slow_batch", [BATCH, SLOW_BATCH])
def test_fast_jobs_and_slow_claims(worker: Worker, slow_batch: int) -> None:
    """As claims get slower, each takes more jobs, so that 4,000 a second go on; but never more than `slow_batch`."""
    worker.jobs = InFlight(SLOTS, BATCH, slow_batch)
    largest = idle = 0
    while worker.now < 100:
        room = worker.jobs.room()
        worker.jobs.claiming_since = began = worker.now
        while worker.now <= began + (began / 200 if room else 0):
            worker.now += 0.01
            idle += not worker.jobs.open
            worker.end(40)
        if room:
            worker.jobs.take(_new(room))
        largest = max(largest, room)
    assert largest <= slow_batch
    assert (idle <= 2) == (slow_batch == SLOW_BATCH)  # it has few jobs until its rate is known


def test_unsettled(worker: Worker) -> None:
    """While outcomes cannot be settled, ended jobs make room only up to the limit."""
    while room := worker.jobs.room():
        attempts = _new(room)
        worker.jobs.take(attempts)
        for attempt in attempts:
            worker.jobs.end(attempt)
        assert len(worker.jobs.held) <= SLOTS + 3 * BATCH
    assert len(worker.jobs.held) > SLOTS + 2 * BATCH


def test_freed(worker: Worker) -> None:
    """The end of a job says at once that half of the jobs claimed ahead are worked, before it is settled."""
    worker.claim(seconds=0.0)
    while worker.now < 1:
        worker.claim(seconds=0.05) or worker.end_one()
    assert worker.jobs.room() == 0
    worker.jobs.freed.clear()
    for attempt in list(worker.jobs.open):
        worker.jobs.end(attempt)
        assert worker.jobs.freed.is_set() == (worker.jobs.room() > 0)


def test_after_a_pause(worker: Worker) -> None:
    """A worker that had no jobs for long measures its speed without this time."""
    worker.now += 3_600
    worker.jobs.measure_again()
    worker.claim(seconds=0.0)
    worker.now += 0.0099
    worker.end(SLOTS)
    assert worker.jobs.room() == SLOTS + 101


def _new(count: int) -> list[Any]:
    return [Started() for _ in range(count)]
