"""A worker describes itself to its store, and adds its numbers to the store's meters."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from tallystick import (
    Beat,
    Claim,
    Context,
    DiscardJob,
    Fixed,
    Meter,
    MeterDelta,
    NewRecord,
    OutcomeUnknown,
    Runner,
    Snooze,
    Unavailable,
    Unsupported,
    WorkerInfo,
)
from tallystick._version import __version__
from tallystick_memory import MemoryBackend

from ..helpers import LONG, SECOND, MakeRunner, eventually

HOUR = timedelta(hours=1)


def register(runner: Runner) -> None:
    """Register a kind whose payload is the exception that the handler raises."""

    @runner.job("do", retry=Fixed(HOUR))
    def do(payload: str, ctx: Context) -> None:
        if payload:
            raise {"retry": ValueError(), "discard": DiscardJob("why"), "release": Snooze(HOUR)}[payload]


def meters(runner: Runner) -> Sequence[Meter]:
    """Return the numbers of the last hour, by queue and kind."""
    now = datetime.now(UTC)
    return runner.backend.meters(now - HOUR, now + HOUR, step=24 * 30 * HOUR)


def test_a_worker_describes_itself(make_runner: MakeRunner) -> None:
    """A worker's beat has its process, its queues and the attempts in their handlers; a stop removes the worker."""
    runner = make_runner(worker="w-1", queues=["a", "b"], concurrency=3)
    release = Event()

    @runner.job("block", queue="a")
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    runner.start()
    handle = runner.enqueue(block.job(None))
    eventually(lambda: runner.snapshot().working)
    beat_now(runner)
    [worker] = eventually(lambda: busy(runner))
    assert (worker.worker, worker.pid, worker.version) == ("w-1", os.getpid(), __version__)
    assert (worker.queues, worker.concurrency, worker.draining) == (("a", "b"), 3, False)
    [running] = worker.running
    assert (running.claim, running.kind) == (Claim(handle.id, 1), "block")
    assert worker.started_at <= running.since <= datetime.now(UTC)
    assert worker.is_alive(datetime.now(UTC))
    release.set()
    runner.stop()
    assert runner.backend.workers() == []


def beat_now(runner: Runner) -> None:
    """Let the worker report now."""
    assert runner._worker.running is not None
    runner._worker.running._reporter.service.wake()


def busy(runner: Runner) -> list[WorkerInfo]:
    """Return the workers that execute attempts."""
    return [worker for worker in runner.backend.workers() if worker.busy]


def test_a_stop_reports_that_the_worker_drains(make_runner: MakeRunner) -> None:
    """During the grace of a stop, the worker is listed as draining."""
    runner = make_runner()
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        release.wait()
        eventually(lambda: any(worker.draining for worker in runner.backend.workers()))

    runner.start()
    runner.enqueue(block.job(None))
    eventually(lambda: runner.snapshot().working)
    release.set()
    runner.stop()
    assert runner.backend.stats().by_state["completed"] == 1  # type: ignore[index]  # a State is a str


def test_outcomes_are_counted_by_queue_and_kind(make_runner: MakeRunner) -> None:
    """After a stop, the meters have each outcome, and the times that the jobs waited and ran."""
    runner = make_runner()
    register(runner)
    hour_ago = datetime.now(UTC) - HOUR
    for payload in (b'""', b'""', b'"retry"', b'"discard"', b'"release"'):
        runner.enqueue_raw("do", payload, run_at=hour_ago)
    runner.start()
    eventually(lambda: sum(runner.snapshot()[name] for name in counted_fields(runner)) == 5)
    runner.stop()
    [meter] = meters(runner)
    assert (meter.queue, meter.kind) == ("default", "do")
    assert (meter.completed, meter.retried, meter.discarded, meter.released, meter.cancelled) == (2, 1, 1, 1, 0)
    assert 5 * HOUR <= meter.waiting < 6 * HOUR
    assert timedelta(0) < meter.running < LONG


def counted_fields(runner: Runner) -> list[int]:
    """Return the positions of the numbers of outcomes in a snapshot."""
    names = runner.snapshot()._fields
    return [names.index(name) for name in ("completed", "retried", "discarded", "released")]


def test_jobs_of_unregistered_kinds_are_not_counted(make_runner: MakeRunner) -> None:
    """A job that no handler of this worker can run is no attempt in the meters."""
    runner = make_runner()
    register(runner)
    runner.backend.insert([NewRecord(kind="unknown")])
    runner.start()
    eventually(lambda: runner.snapshot().put_off)
    runner.stop()
    assert meters(runner) == []


class Store(MemoryBackend):
    """Notes the calls of `meter` and `beat`; the first `meter` raises `error`."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error
        self.sent: list[int] = []
        self.beats: list[timedelta] = []

    def meter(self, deltas: Sequence[MeterDelta], **kwargs: Any) -> None:
        """Note the number of completed jobs."""
        self.sent.append(sum(delta.completed for delta in deltas))
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        super().meter(deltas, **kwargs)

    def beat(self, beat: Beat, *, ttl: timedelta, **kwargs: Any) -> None:
        """Note the ttl."""
        self.beats.append(ttl)
        super().beat(beat, ttl=ttl, **kwargs)


def worked(make_runner: MakeRunner, store: Store) -> Runner:
    """Run two jobs, with a report after each."""
    runner = make_runner(store)
    register(runner)
    runner.start()
    for n in (1, 2):
        runner.result(runner.enqueue_raw("do", b'""'), timeout=LONG)
        eventually(lambda n=n: runner.snapshot().completed == n)  # type: ignore[misc]
        beat_now(runner)
        eventually(lambda n=n: len(store.sent) >= n)  # type: ignore[misc]
    runner.stop()
    return runner


def test_numbers_are_kept_while_the_store_is_unavailable(make_runner: MakeRunner) -> None:
    """If the store is unavailable, the numbers are sent again with the next ones."""
    store = Store(Unavailable("down"))
    assert sum(meter.completed for meter in meters(worked(make_runner, store))) == 2


def test_numbers_that_may_be_added_are_not_sent_again(make_runner: MakeRunner) -> None:
    """If the reply of the store is lost, the numbers are not repeated, since they could count twice."""
    store = Store(OutcomeUnknown("lost"))
    assert sum(meter.completed for meter in meters(worked(make_runner, store))) == 1


def test_an_idle_worker_sends_no_numbers(make_runner: MakeRunner) -> None:
    """Without jobs, a worker sends beats, and no `meter`. Its last beat has a ttl of zero."""
    store = Store(None)
    runner = make_runner(store)
    register(runner)
    runner.start()
    eventually(lambda: store.beats)
    runner.stop()
    assert store.sent == []
    assert store.beats[0] == 30 * SECOND
    assert store.beats[-1] == timedelta(0)


def raise_unsupported(*args: Any, **kwargs: Any) -> None:
    """Raise."""
    raise Unsupported("not here")


@pytest.mark.parametrize("name", ["beat", "meter"])
def test_a_store_without_these_registers(
    make_runner: MakeRunner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """On a store that does not support beats or meters, the worker runs jobs and logs no warning."""
    store = MemoryBackend()
    monkeypatch.setattr(store, name, raise_unsupported)
    runner = make_runner(store)
    register(runner)
    runner.start()
    runner.result(runner.enqueue_raw("do", b'""'), timeout=LONG)
    runner.stop()
    assert [log.getMessage() for log in caplog.records if log.levelname == "WARNING"] == []


def test_a_store_that_fails_does_not_stop_the_worker(
    make_runner: MakeRunner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error of a beat is logged, and jobs run."""
    store = MemoryBackend()
    monkeypatch.setattr(store, "beat", lambda *args, **kwargs: 1 / 0)
    runner = make_runner(store)
    register(runner)
    runner.start()
    runner.result(runner.enqueue_raw("do", b'""'), timeout=LONG)
    eventually(lambda: any("tallystick-reporter" in log.getMessage() for log in caplog.records))
    runner.stop()
    assert sum(meter.completed for meter in meters(runner)) == 1
