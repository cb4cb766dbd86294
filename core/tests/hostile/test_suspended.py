"""A worker that was suspended, or starved of the GIL, keeps its jobs unless another worker rescues them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, current_thread
from time import monotonic
from typing import Any

import pytest
from tallystick import Claim, Context, Hold, Outcome, Record, Runner, State
from tallystick_memory import MemoryBackend

from ..helpers import LONG, SECOND, MakeRunner, eventually

HOUR = timedelta(hours=1)


class Suspended(MemoryBackend):
    """A store on a machine that sleeps for an hour right after `caller` calls `after`."""

    def __init__(self, caller: str, after: str) -> None:
        super().__init__()
        self.caller, self.after = f"tallystick-{caller}", after
        self.slept = timedelta(0)
        self.armed = False
        self.holding = False
        self.extensions_since = self.rescues_since = 0
        self.rescued: list[Record] = []

    def now(self) -> datetime:
        """Return the store's time."""
        return datetime.now(UTC) + self.slept

    def claim(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Claim at the store's time; after the sleep, wait until the maintainer has run."""
        records = self._sleep_after("claim", super().claim(*args, **kwargs, now=self.now()))
        if records and self.slept and self.holding:
            eventually(lambda: self.extensions_since >= 2 or self.rescues_since)
        return records

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Extend at the store's time."""
        self.extensions_since += bool(self.slept)
        return self._sleep_after("extend", super().extend(claims, **kwargs, now=self.now()))

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Settle at the store's time."""
        return super().settle(outcomes, **{"now": self.now(), **kwargs})

    def rescue(self, **kwargs: Any) -> Sequence[Record]:
        """Rescue at the store's time."""
        rescued = super().rescue(**kwargs, now=self.now())
        self.rescued += rescued
        self.rescues_since += bool(self.slept)
        return self._sleep_after("rescue", rescued)

    def _sleep_after(self, call: str, result: Sequence[Any]) -> Sequence[Any]:
        called = current_thread().name == self.caller and call == self.after
        if called and self.armed and (result or call == "rescue"):
            self.armed = False
            self.slept += HOUR
        return result


def worker_clock(monkeypatch: pytest.MonkeyPatch, backend: Suspended) -> None:
    """Advance the worker's clock with the sleep."""
    monkeypatch.setattr("tallystick.worker.clock.seconds", lambda: monotonic() + backend.slept.total_seconds())


def blocking(runner: Runner, release: Event) -> Any:
    """Register a job that runs until the test releases it, and returns its attempt."""

    @runner.job("block", max_attempts=1)
    def block(payload: int, ctx: Context) -> int:
        release.wait()
        return ctx.attempt

    return block


@pytest.mark.parametrize(
    ("caller", "after"), [("maintainer", "rescue"), ("maintainer", "extend"), ("fetcher", "claim")]
)
def test_keeps_its_own_jobs(
    make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch, release: Event, caller: str, after: str
) -> None:
    """A worker that slept past its leases extends them before it rescues, so it does not rescue its own jobs."""
    backend = Suspended(caller, after)
    worker_clock(monkeypatch, backend)
    runner = make_runner(backend, maintenance=SECOND / 50)
    block = blocking(runner, release)
    first = runner.enqueue(block.job(1))
    runner.start()
    eventually(lambda: runner.snapshot().working == 1)
    backend.armed = backend.holding = True
    second = runner.enqueue(block.job(2))
    eventually(lambda: backend.rescues_since >= 3 and runner.snapshot().working == 2)
    release.set()
    assert [runner.result(handle, timeout=LONG) for handle in (first, second)] == [1, 1]
    assert not backend.rescued


def test_keeps_its_own_jobs_by_the_clock_of_the_store(make_runner: MakeRunner, release: Event) -> None:
    """A worker whose own clock stood still during the sleep extends its leases before it rescues, too."""
    backend = Suspended("maintainer", "rescue")
    runner = make_runner(backend, maintenance=SECOND / 50)
    handle = runner.enqueue(blocking(runner, release).job(1))
    runner.start()
    eventually(lambda: runner.snapshot().working == 1)
    backend.armed = True
    eventually(lambda: backend.rescues_since >= 3)
    release.set()
    assert runner.result(handle, timeout=LONG) == 1
    assert not backend.rescued


class RescuedDuringSleep(Suspended):
    """A store where another worker rescues during the sleep."""

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Rescue before the first extension after the sleep."""
        if self.slept and not self.rescues_since:
            self.rescue(limit=10)
            self.pause("default")
        return super().extend(claims, **kwargs)


def test_claim_that_was_lost_before_it_arrived(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that another worker rescued before its claim returned is not worked, and is reported as lost."""
    backend = RescuedDuringSleep("fetcher", "claim")
    worker_clock(monkeypatch, backend)
    runner = make_runner(backend)
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    backend.armed = True
    handle = runner.enqueue(note.job(1))
    runner.start()
    eventually(lambda: runner.snapshot().lost == 1)
    assert runner.get(handle).state is State.RETRYING
    assert not worked


class Generous(MemoryBackend):
    """A store that returns three jobs more than the limit, so that the worker claims ahead."""

    def claim(self, queues: Sequence[str], *, limit: int, **kwargs: Any) -> Sequence[Record]:
        """Claim three more."""
        return super().claim(queues, limit=limit + 3, **kwargs)


def test_starved_handlers_keep_their_jobs(
    make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch, release: Event
) -> None:
    """Jobs claimed ahead are not released for a time in which the whole process stood still."""
    calls: list[float] = []
    armed, woke = Event(), Event()
    slept = 0.0

    def seconds() -> float:
        nonlocal slept
        if current_thread().name == "tallystick-heartbeat":
            calls.append(slept)
            if slept:
                woke.set()
            elif armed.is_set() and len(calls) % 2 == 0:  # at the end of a pause of the heartbeat
                slept = HOUR.total_seconds()
        return monotonic() + slept

    monkeypatch.setattr("tallystick.worker.clock.seconds", seconds)
    runner = make_runner(Generous(), concurrency=1)
    block = blocking(runner, release)
    handles = runner.enqueue_batch([block.job(n) for n in range(4)])
    runner.start()
    eventually(lambda: runner.snapshot().waiting == 3)
    armed.set()
    assert woke.wait(LONG.total_seconds())
    assert runner.snapshot().released == 0
    release.set()
    assert [runner.result(handle, timeout=LONG) for handle in handles] == [1, 1, 1, 1]
