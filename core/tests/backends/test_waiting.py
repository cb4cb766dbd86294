"""The loop of `wait`, and wake-ups. Time is replaced, so no test sleeps."""

from collections.abc import Iterator
from datetime import timedelta
from math import inf
from threading import TIMEOUT_MAX, Event, Thread

import pytest
from tallystick.backends import waiting
from tallystick.backends.waiting import WakeUps

from ..helpers import LONG, SECOND, eventually


class Clock:
    """A monotonic clock that only its own `sleep` advances. A sleep ends early by `early` seconds."""

    def __init__(self, early: float = 0) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []
        self.early = early

    def sleep(self, seconds: float) -> bool:
        """Advance the clock."""
        self.slept.append(seconds)
        self.time += max(seconds - self.early, 0)
        self.early = 0
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the monotonic clock of the loop."""
    clock = Clock()
    monkeypatch.setattr(waiting, "monotonic", lambda: clock.time)
    return clock


def test_a_job_is_due(clock: Clock) -> None:
    """A job that is due ends the wait without a sleep, even with a timeout of zero."""
    assert waiting.wait(lambda: -1, clock.sleep, timedelta(0))
    assert clock.slept == []


def test_a_job_becomes_due(clock: Clock) -> None:
    """The wait sleeps until the job is due."""
    assert waiting.wait(lambda: 1_003 - clock.time, clock.sleep, 5 * SECOND)
    assert clock.slept == [3]


def test_a_sleep_that_ends_early(clock: Clock) -> None:
    """After a wake-up without a due job, the wait sleeps for the rest."""
    clock.early = 2
    assert waiting.wait(lambda: 1_003 - clock.time, clock.sleep, 5 * SECOND)
    assert clock.slept == [3, 2]


@pytest.mark.parametrize("seconds", [None, 7.0])
def test_timeout(clock: Clock, seconds: float | None) -> None:
    """Without a job, or with a later one, the wait ends at its timeout."""
    assert not waiting.wait(lambda: seconds, clock.sleep, 5 * SECOND)
    assert clock.slept == [5]


def test_closed(clock: Clock) -> None:
    """The wait ends as soon as a sleep reports that the client is closed."""
    assert not waiting.wait(lambda: None, lambda _: False, 5 * SECOND)


def test_longest_timeout(clock: Clock) -> None:
    """A timeout longer than a lock can wait for is accepted."""
    results: Iterator[float | None] = iter([inf, 0])
    assert waiting.wait(lambda: next(results), clock.sleep, timedelta.max)
    assert clock.slept == [TIMEOUT_MAX]


def test_wake_up_of_a_queue() -> None:
    """A wake-up of another queue is ignored, and one of a queue in question, or of all, is seen."""
    wake_ups = WakeUps()
    seen = wake_ups.seen(["a"])
    wake_ups.wake(["b"])
    assert wake_ups.seen(["a"]) == seen
    wake_ups.wake(["a", "b"])
    assert wake_ups.seen(["a"]) != (seen := wake_ups.seen(["c"]))
    wake_ups.wake_all()
    assert wake_ups.seen(["c"]) != seen
    assert wake_ups.sleep(["a"], (), 1_000_000)


def test_no_wake_up_is_missed() -> None:
    """A wake-up between the query and the sleep makes the wait query again."""
    wake_ups = WakeUps()
    results = [None, 0.0]

    def query(queues: object) -> float | None:
        wake_ups.wake(["a"])
        return results.pop(0)

    assert wake_ups.wait(["a"], query, LONG)


def test_wake_up_from_another_thread() -> None:
    """A sleeping wait is woken, and queries again."""
    wake_ups, asleep, due, results = WakeUps(), Event(), Event(), list[bool]()

    def query(queues: object) -> float | None:
        asleep.set()
        return 0 if due.is_set() else None

    thread = Thread(target=lambda: results.append(wake_ups.wait(["a"], query, LONG)))
    thread.start()
    eventually(asleep.is_set)
    due.set()
    wake_ups.wake(["a"])
    thread.join()
    assert results == [True]


def test_close_ends_every_wait() -> None:
    """After `close`, a wait without a due job returns False at once."""
    wake_ups = WakeUps()
    wake_ups.close()
    assert not wake_ups.wait(["a"], lambda _: None, LONG)
