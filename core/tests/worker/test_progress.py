"""The progress that handlers report."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from tallystick import (
    Claim,
    Context,
    Fixed,
    Handle,
    InvalidArgument,
    NewRecord,
    Progress,
    ProgressReport,
    Record,
    Runner,
    State,
    Unavailable,
)
from tallystick.worker.in_flight import InFlight
from tallystick.worker.progress_reports import ProgressReports
from tallystick.worker.watcher import Watcher
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SECOND, MakeRunner, eventually


class Counting(MemoryBackend):
    """Keeps the batches of reports, and can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Sequence[ProgressReport]] = []
        self.failures: list[Exception] = []

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        """Raise the next failure, or store the reports."""
        self.batches.append(reports)
        if self.failures:
            raise self.failures.pop()
        return super().report_progress(reports, now=now)


@pytest.fixture
def backend() -> Counting:
    """Return a store that counts reports."""
    return Counting()


@pytest.fixture
def runner(backend: Counting, make_runner: MakeRunner) -> Runner:
    """Return a runner on this store."""
    return make_runner(backend)


def progress_of(runner: Runner, job: Handle[Any] | Record) -> tuple[float | None, str] | None:
    """Return the fraction and the message of a job's progress."""
    progress = runner.get(job.id).progress
    return progress and (progress.fraction, progress.message)


def test_it_is_shown_while_the_handler_runs(runner: Runner) -> None:
    """The store has the latest report of a sync and an async handler before they return."""
    go = Event()

    @runner.job("sync")
    def work(payload: None, ctx: Context) -> None:
        ctx.progress(0.1, "first")
        ctx.progress(0.4, "page 40 of 100")
        assert go.wait(LONG.total_seconds())

    @runner.job("async")
    async def awork(payload: None, ctx: Context) -> None:
        ctx.progress(None, "half an hour")
        while not go.is_set():
            await asyncio.sleep(0.001)

    first, second = runner.enqueue(work.job(None)), runner.enqueue(awork.job(None))
    runner.start()
    eventually(lambda: progress_of(runner, first) == (0.4, "page 40 of 100"))
    eventually(lambda: progress_of(runner, second) == (None, "half an hour"))
    go.set()
    runner.result(first.id, timeout=LONG)
    runner.result(second.id, timeout=LONG)
    assert progress_of(runner, first) == (0.4, "page 40 of 100")


def test_the_last_report_is_stored_at_the_end(runner: Runner) -> None:
    """Of many reports, the end of the attempt stores the last one."""

    @runner.job("count")
    def count(payload: int, ctx: Context) -> None:
        for n in range(1_000):
            ctx.progress(n / 1_000)
        ctx.progress(1, f"{payload} done")

    handles = [runner.enqueue(count.job(n)) for n in range(3)]
    runner.start()
    for n, handle in enumerate(handles):
        runner.result(handle.id, timeout=LONG)
        assert progress_of(runner, handle) == (1.0, f"{n} done")


def test_jobs_without_reports_cost_no_call(runner: Runner, backend: Counting) -> None:
    """A worker whose handlers report nothing never calls `report_progress`."""

    @runner.job("quiet")
    def quiet(payload: None, ctx: Context) -> None:
        pass

    runner.start()
    runner.result(runner.enqueue(quiet.job(None)).id, timeout=LONG)
    runner.close()
    assert backend.batches == []


def test_a_failed_attempt_keeps_it_until_the_next(runner: Runner) -> None:
    """A retry and a discard keep the progress of their attempt. The next attempt begins without."""
    seen: list[Progress | None] = []

    @runner.job("fail", max_attempts=2, retry=Fixed(AT_ONCE))
    def fail(payload: None, ctx: Context) -> None:
        seen.append(runner.get(ctx.id).progress)
        ctx.progress(0.5, f"attempt {ctx.attempt}")
        raise ValueError

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.DISCARDED)
    assert progress_of(runner, handle) == (0.5, "attempt 2")
    assert seen == [None, None]


def test_batch_handlers_report_for_each_job(runner: Runner) -> None:
    """Each context of a batch has its own progress."""

    @runner.batch("many", max=3, wait=SECOND)
    def many(payloads: list[int], ctxs: list[Context]) -> None:
        for payload, ctx in zip(payloads, ctxs, strict=True):
            ctx.progress(payload / 2, str(payload))

    handles = [runner.enqueue(many.job(n)) for n in range(3)]
    runner.start()
    for n, handle in enumerate(handles):
        runner.result(handle.id, timeout=LONG)
        assert progress_of(runner, handle) == (n / 2, str(n))


def test_wrong_values_raise_in_the_handler(runner: Runner) -> None:
    """A handler that reports a wrong value gets the error at the call, and can catch it."""

    @runner.job("wrong")
    def wrong(payload: None, ctx: Context) -> int:
        text: Any = "half"
        values: list[tuple[Any, Any]] = [(float("nan"), ""), (text, ""), (0, text * 200), (0, None)]
        for fraction, message in values:
            with pytest.raises(InvalidArgument):
                ctx.progress(fraction, message)
        return 1

    runner.start()
    assert runner.result(runner.enqueue(wrong.job(None)).id, timeout=LONG) == 1


def test_an_outage_loses_no_report(runner: Runner, backend: Counting) -> None:
    """If the store is unavailable, the report is stored later, and before the outcome."""
    backend.failures = [Unavailable("down"), Unavailable("down")]

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None:
        ctx.progress(0.75)

    handle = runner.enqueue(work.job(None))
    runner.start()
    runner.result(handle.id, timeout=LONG)
    assert progress_of(runner, handle) == (0.75, "")


def test_a_store_that_rejects_reports_still_settles(
    runner: Runner, backend: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error of `report_progress` is logged, and the outcome is recorded."""
    backend.failures = [ZeroDivisionError("bug")]

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None:
        ctx.progress(0.75)

    runner.start()
    runner.result(runner.enqueue(work.job(None)).id, timeout=LONG)
    assert "could not store the progress of 1 jobs: ZeroDivisionError('bug')" in caplog.text


def test_a_report_that_is_on_its_way_is_stored_before_the_end(backend: Counting) -> None:
    """`store` waits for another call that stores the same report, so that a settle after it does not overtake it."""
    reports, record = ProgressReports(), running(backend)
    begun, go, ended = Event(), Event(), Event()

    class Slow(Counting):
        def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
            begun.set()
            assert go.wait(LONG.total_seconds())
            return backend.report_progress(reports, now=now)

    def settle() -> None:
        reports.store(backend, 10, [record.claim])
        ended.set()

    reports.put(ProgressReport(record.claim, 0.5))
    watcher = Thread(target=reports.store, args=(Slow(), 10))
    watcher.start()
    assert begun.wait(LONG.total_seconds())
    settler = Thread(target=settle)
    settler.start()
    assert not ended.wait(0.02)
    go.set()
    for thread in (watcher, settler):
        thread.join()
    assert len(backend.batches) == 1
    assert backend.get([record.id])[record.id].progress is not None


def test_a_newer_report_stays_when_an_older_one_is_stored(backend: Counting) -> None:
    """A report made while an earlier one is stored is kept for the next call."""
    reports, record = ProgressReports(), running(backend)

    class Late(Counting):
        def report_progress(self, some: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
            reports.put(ProgressReport(record.claim, 0.9))
            return [True]

    reports.put(ProgressReport(record.claim, 0.1))
    reports.store(Late(), 10)
    reports.store(backend, 10)
    assert [[report.fraction for report in batch] for batch in backend.batches] == [[0.9]]
    reports.store(backend, 10)
    assert len(backend.batches) == 1


def test_reports_are_stored_in_batches(backend: Counting) -> None:
    """A call has at most `batch` reports, and a stale one is dropped."""
    reports = ProgressReports()
    for n in range(5):
        reports.put(ProgressReport(Claim(UUID(int=n), 1), 0.5))
    reports.store(backend, 2)
    reports.store(backend, 2)
    assert [len(batch) for batch in backend.batches] == [2, 2, 1]


def test_a_worker_stores_reports_at_most_once_a_second(
    runner: Runner, backend: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call stores the reports of all jobs, and the next follows a second later."""

    @runner.job("k")
    def work(payload: None, ctx: Context) -> None:
        pass

    context, now = runner._worker_context(), 1_000.0
    monkeypatch.setattr("tallystick.worker.watcher.monotonic", lambda: now)
    watcher = Watcher(context, InFlight(10, 10, 10), lambda: None)
    records = [running(backend), running(backend)]
    seen = []
    for _ in range(6):
        for record in records:
            context.reports.put(ProgressReport(record.claim, 0.5))
        watcher.service.wake()
        watcher._step()
        seen.append([len(batch) for batch in backend.batches])
        now += 0.4
    assert seen == [[2], [2], [2], [2, 2], [2, 2], [2, 2]]


def running(backend: MemoryBackend) -> Record:
    """Insert a job, claim it, and return its record."""
    backend.insert([NewRecord(kind="k")])
    [record] = backend.claim(["default"], limit=1, worker="w", lease=LONG)
    return record
