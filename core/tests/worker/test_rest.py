"""The threads that watch jobs rest while the worker has none."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from threading import Event

import pytest
from tallystick import Context, JobDiscarded, Runner, Stop
from tallystick.worker.attempt import Attempt
from tallystick.worker.in_flight import InFlight
from tallystick.worker.service import Service

from ..helpers import LONG, SECOND, MakeRunner, eventually

TICK, AT_REST = 1.0, 60.0


class Paused(Service):
    """A service that notes the length of each pause, and whether it was woken."""

    def __init__(self) -> None:
        super().__init__("paused", lambda: None, nullcontext)
        self.pauses: list[float] = []
        self.woken = 0
        self.during: Callable[[], None] = lambda: None

    def pause(self, seconds: float) -> None:
        """Note the length."""
        self.pauses.append(seconds)
        self.during()

    def wake(self) -> None:
        """Count the calls."""
        self.woken += 1


@pytest.fixture
def jobs() -> InFlight:
    """Return the jobs of a worker that holds none."""
    return InFlight(slots=10, batch=10, slow_batch=10)


def attempt(make_runner: MakeRunner) -> Attempt:
    """Return an attempt of a job."""
    runner = make_runner()

    @runner.job("echo")
    def echo(payload: None, ctx: Context) -> None: ...

    return Attempt(runner._worker_context(), runner.enqueue(echo.job(None)).record, echo, 0.0, 0.0)


def test_pauses(jobs: InFlight, make_runner: MakeRunner) -> None:
    """A service rests if the worker holds no job, and has taken none since its previous pause."""
    service, taken = Paused(), attempt(make_runner)

    def pause() -> float:
        jobs.rest.pause(service, TICK, at_rest=AT_REST)
        return service.pauses[-1]

    assert [pause(), pause()] == [TICK, AT_REST]
    jobs.take([taken])
    assert [pause(), pause()] == [TICK, TICK]
    jobs.end(taken)
    jobs.settled([taken])
    assert [pause(), pause()] == [AT_REST, AT_REST]
    jobs.take([taken])
    jobs.settled([taken])
    assert [pause(), pause()] == [TICK, AT_REST]


def test_end(jobs: InFlight, make_runner: MakeRunner) -> None:
    """The end of the rest wakes only services that rest, and only if the worker holds a job."""
    service, taken = Paused(), attempt(make_runner)
    service.during = jobs.rest.end
    for _ in range(2):
        jobs.rest.pause(service, TICK, at_rest=AT_REST)
    assert service.woken == 0
    jobs.take([taken])
    for _ in range(2):
        jobs.rest.pause(service, TICK, at_rest=AT_REST)
    assert service.woken == 0
    jobs.settled([taken])

    def take_and_end() -> None:
        jobs.take([taken])
        jobs.rest.end()

    service.during = take_and_end
    jobs.rest.pause(service, TICK, at_rest=AT_REST)
    assert (service.pauses[-1], service.woken) == (AT_REST, 1)
    jobs.rest.end()
    assert service.woken == 1


def test_a_worker_at_rest_watches_the_next_job(make_runner: MakeRunner) -> None:
    """A job that comes after a time without jobs soon learns that it was cancelled.

    With this lease, a thread at rest pauses for longer than the test waits.
    """
    runner = make_runner(lease=timedelta(hours=2))
    begun = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> Stop | None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        return ctx.stop

    start_and_rest(runner)
    handle = runner.enqueue(block.job(None))
    assert begun.wait(LONG.total_seconds())
    runner.cancel(handle)
    assert runner.result(handle, timeout=LONG) is Stop.CANCELLED


def test_a_worker_at_rest_ends_the_next_job_at_its_timeout(make_runner: MakeRunner) -> None:
    """A job that comes after a time without jobs ends soon after its timeout."""
    runner = make_runner(lease=timedelta(hours=2))
    release = Event()

    @runner.job("block", timeout=SECOND / 25, max_attempts=1)
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    start_and_rest(runner)
    handle = runner.enqueue(block.job(None))
    with pytest.raises(JobDiscarded):
        runner.result(handle, timeout=LONG)
    release.set()


def start_and_rest(runner: Runner) -> None:
    """Start the worker, and wait until both of its threads that watch jobs rest."""
    runner.start()
    worker = runner._worker.running
    assert worker is not None
    eventually(lambda: len(worker._in_flight.rest._resting) == 2)
