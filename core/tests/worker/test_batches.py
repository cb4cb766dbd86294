"""Handlers that work many jobs in one call."""

import asyncio
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tallystick import (
    BatchDefinition,
    Context,
    DefinitionError,
    DiscardJob,
    Handle,
    InvalidArgument,
    JobDiscarded,
    NewRecord,
    Runner,
    Snooze,
    State,
    Status,
    Stop,
    Stopped,
    batch,
    hookimpl,
)

from ..helpers import AT_ONCE, LONG, SECOND, MakeRunner, eventually, stored

BRIEFLY = timedelta(milliseconds=5)

Calls = list[list[int]]


def doubling(runner: Runner, **options: Any) -> tuple[BatchDefinition[int, int], Calls]:
    """Register a handler that doubles numbers, and return it with the list of its calls."""
    calls: Calls = []

    @runner.batch("double", **{"wait": BRIEFLY, **options})
    def double(numbers: list[int], contexts: list[Context]) -> list[int | Exception]:
        calls.append(numbers)
        return [2 * number for number, _ in zip(numbers, contexts, strict=True)]

    return double, calls


def values(runner: Runner, handles: list[Handle[Any]]) -> list[Any]:
    """Wait for jobs, and return their results."""
    return [result.value for result in runner.wait_for_all(handles, timeout=LONG)]


def test_full_batches(runner: Runner) -> None:
    """A call gets at most `max` jobs; a smaller batch is run after its wait. Each job has its own result."""
    double, calls = doubling(runner, max=3)
    handles = runner.enqueue_batch([double.job(number) for number in range(1, 8)])
    runner.start()
    assert values(runner, handles) == [2, 4, 6, 8, 10, 12, 14]
    assert sorted(number for call in calls for number in call) == [1, 2, 3, 4, 5, 6, 7]
    assert max(map(len, calls)) == 3
    assert len(calls) < 7


def test_a_batch_is_larger_than_the_concurrency(make_runner: MakeRunner) -> None:
    """A worker claims enough jobs to fill a batch, even if it runs one handler at a time."""
    runner = make_runner(concurrency=1)
    double, calls = doubling(runner, max=50, wait=SECOND)
    handles = runner.enqueue_batch([double.job(1) for _ in range(50)])
    runner.start()
    assert values(runner, handles) == [2] * 50
    assert calls == [[1] * 50]


def test_wait(runner: Runner) -> None:
    """A single job runs after the wait, in a batch of its own."""
    double, calls = doubling(runner, max=100, wait=AT_ONCE)
    runner.start()
    assert values(runner, [runner.enqueue(double.job(4))]) == [8]
    assert calls == [[4]]


def test_other_kinds_beside_batches(runner: Runner) -> None:
    """A worker runs batches, other sync jobs and async ones side by side."""
    double, _ = doubling(runner)

    @runner.job("one")
    def one(number: int, ctx: Context) -> int:
        return number

    @runner.job("two")
    async def two(number: int, ctx: Context) -> int:
        return number

    runner.start()
    assert values(runner, [runner.enqueue(double.job(1)), runner.enqueue(one.job(1)), runner.enqueue(two.job(1))]) == [
        *(2, 1, 1)
    ]


def test_async(runner: Runner) -> None:
    """An async handler of batches is one task on the event loop."""

    @runner.batch("slow", max=10, wait=BRIEFLY)
    async def slow(numbers: list[int], contexts: list[Context]) -> list[int | Exception]:
        await asyncio.sleep(0)
        return [number + len(Runner.current().settings.worker) * 0 for number in numbers]

    handles = runner.enqueue_batch([slow.job(number) for number in range(5)])
    runner.start()
    assert values(runner, handles) == [0, 1, 2, 3, 4]


def test_an_exception_per_job(runner: Runner) -> None:
    """An exception in the list fails its job only, as if the handler had raised it there."""

    @runner.batch("mixed", max=4, wait=BRIEFLY, max_attempts=1)
    def mixed(payloads: list[str], contexts: list[Context]) -> list[str | Exception]:
        answers = {"fail": ValueError("bad"), "discard": DiscardJob("no"), "snooze": Snooze(LONG)}
        return [answers.get(payload, payload) for payload in payloads]

    handles = runner.enqueue_batch([mixed.job(payload) for payload in ("good", "fail", "discard", "snooze")])
    runner.start()
    results = runner.wait_for_all(handles[:3], timeout=LONG)
    assert [result.status for result in results] == [Status.COMPLETED, Status.DISCARDED, Status.DISCARDED]
    assert [result.record.last_error.message for result in results[1:]] == ["bad", "no"]  # type: ignore[union-attr]
    eventually(lambda: runner.get(handles[3]).attempt == 1 and runner.get(handles[3]).state is State.PENDING)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_raising_fails_all(runner: Runner, is_async: bool) -> None:
    """A handler that raises fails all jobs of the batch, with its exception."""

    def broken(payloads: list[int], contexts: list[Context]) -> None:
        raise ConnectionError("down")

    async def broken_async(payloads: list[int], contexts: list[Context]) -> None:
        raise ConnectionError("down")

    define = runner.batch("broken", max=3, wait=BRIEFLY, max_attempts=1)
    job = define(broken_async) if is_async else define(broken)
    handles = runner.enqueue_batch([job.job(number) for number in range(3)])
    runner.start()
    for handle in handles:
        with pytest.raises(JobDiscarded, match="ConnectionError: down"):
            runner.result(handle, timeout=LONG)


def test_tracebacks_are_those_of_the_handler(runner: Runner) -> None:
    """Hooks that see the exception of a job leave no frame in its stored traceback."""
    seen: list[BaseException | None] = []

    class Hooks:
        @hookimpl
        def tallystick_work(self, ctx: Context) -> Callable[[], None]:
            return lambda: seen.append(sys.exception())

    @runner.batch("index", max_attempts=1)
    def index(payloads: list[int], contexts: list[Context]) -> list[BaseException | None]:
        return [ValueError("zero"), None]

    runner.add_hooks(Hooks())
    jobs = runner.enqueue_batch([index.job(0), index.job(1)])
    runner.start()
    runner.wait_for_all(jobs, timeout=LONG)
    assert [type(exc) for exc in seen] == [type(None), ValueError]
    assert seen[1] is not None
    assert seen[1].__traceback__ is None


@pytest.mark.parametrize(
    ("results", "message"),
    [([1], "list of 1 items for 2 jobs"), ("ab", "str for 2 jobs"), (7, "int for 2 jobs"), ({}, "dict for 2 jobs")],
)
def test_wrong_number_of_results(runner: Runner, results: Any, message: str) -> None:
    """A return value that is not a list with an item for each job discards all, since their work is done."""

    @runner.batch("wrong", max=2, wait=SECOND)
    def wrong(payloads: list[int], contexts: list[Context]) -> list[int]:
        return results  # type: ignore[no-any-return]  # wrong on purpose

    handles = runner.enqueue_batch([wrong.job(1), wrong.job(2)])
    runner.start()
    for handle in handles:
        with pytest.raises(JobDiscarded, match=message):
            runner.result(handle, timeout=LONG)


def test_wrong_type_of_one_result(runner: Runner) -> None:
    """A result of the wrong type discards its job only."""

    @runner.batch("wrong", max=2, wait=SECOND)
    def wrong(payloads: list[int], contexts: list[Context]) -> list[int]:
        return [1, "two"]  # type: ignore[list-item]  # wrong on purpose

    handles = runner.enqueue_batch([wrong.job(1), wrong.job(2)])
    runner.start()
    assert [result.status for result in runner.wait_for_all(handles)] == [Status.COMPLETED, Status.DISCARDED]


def test_no_results(runner: Runner) -> None:
    """A handler that returns None completes all its jobs."""

    @runner.batch("silent", wait=BRIEFLY)
    def silent(payloads: list[int], contexts: list[Context]) -> None: ...

    handles = runner.enqueue_batch([silent.job(1), silent.job(2)])
    runner.start()
    assert values(runner, handles) == [None, None]


def test_unreadable_payload(runner: Runner) -> None:
    """A payload that cannot be decoded fails its job only; the others are in the batch."""
    double, calls = doubling(runner, max=3)
    [bad] = runner.backend.insert([NewRecord(kind="double", payload=b"bad", max_attempts=1)])
    good = runner.enqueue(double.job(4))
    runner.start()
    assert values(runner, [good]) == [8]
    assert runner.wait_for(bad.record.id).status is Status.DISCARDED
    assert calls == [[4]]


def test_cancel_one(make_runner: MakeRunner) -> None:
    """A cancellation reaches the context of its job only, and the handler ends that job by returning `Stopped`."""
    runner = make_runner(lease=timedelta(milliseconds=240))
    started = threading.Event()

    @runner.batch("patient", max=2, wait=SECOND / 50)
    def patient(payloads: list[int], contexts: list[Context]) -> list[int | Exception]:
        started.set()
        eventually(lambda: any(context.should_stop for context in contexts))
        return [
            Stopped() if context.should_stop else payload for payload, context in zip(payloads, contexts, strict=True)
        ]

    kept, cancelled = runner.enqueue_batch([patient.job(1), patient.job(2)])
    runner.start()
    started.wait(LONG.total_seconds())
    runner.cancel(cancelled)
    assert values(runner, [kept]) == [1]
    assert runner.wait_for(cancelled).status is Status.CANCELLED


def test_cancel_before_the_call(make_runner: MakeRunner) -> None:
    """A job that is cancelled while it waits for its batch is not in the batch."""
    runner = make_runner(lease=timedelta(milliseconds=600))
    double, calls = doubling(runner, max=2, wait=SECOND / 10)
    job = runner.enqueue(double.job(1))
    runner.start()
    eventually(lambda: runner.get(job).state is not State.PENDING)
    runner.cancel(job)
    assert runner.wait_for(job).status in (Status.CANCELLED, Status.COMPLETED)
    assert calls in ([], [[1]])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_timeout(runner: Runner, is_async: bool) -> None:
    """At the timeout of a batch all its jobs fail, and its thread is replaced and counted once."""
    release = threading.Event()

    def stuck(payloads: list[int], contexts: list[Context]) -> None:
        release.wait(LONG.total_seconds())
        assert all(context.stop is Stop.TIMED_OUT for context in contexts)

    async def stuck_async(payloads: list[int], contexts: list[Context]) -> None:
        await asyncio.sleep(LONG.total_seconds())

    define = runner.batch("stuck", max=2, wait=SECOND, max_attempts=1, timeout=timedelta(milliseconds=50))
    job = define(stuck_async) if is_async else define(stuck)
    handles = runner.enqueue_batch([job.job(1), job.job(2)])
    runner.start()
    for handle in handles:
        with pytest.raises(JobDiscarded, match="TimeoutError"):
            runner.result(handle, timeout=LONG)
    if not is_async:
        assert runner.snapshot().stuck == 1
    release.set()
    eventually(lambda: runner.snapshot().stuck == 0)


def test_stop_releases_jobs_that_wait_for_a_batch(make_runner: MakeRunner) -> None:
    """A stop releases the jobs of a batch that is not full, at no cost of an attempt."""
    runner = make_runner(lease=LONG)
    double, calls = doubling(runner, max=100, wait=SECOND * 40)
    job = runner.enqueue(double.job(1))
    runner.start()
    eventually(lambda: runner.get(job).state is State.RUNNING)
    assert runner.stop() == 0
    record = runner.get(job)
    assert (record.state, record.attempt, record.max_attempts) == (State.PENDING, 1, 21)
    assert calls == []


def test_stop_during_a_batch(make_runner: MakeRunner) -> None:
    """At the end of the grace period, the jobs of a running batch are asked to stop, and released."""
    runner = make_runner(grace=AT_ONCE)
    started = threading.Event()

    @runner.batch("endless", max=2, wait=SECOND)
    async def endless(payloads: list[int], contexts: list[Context]) -> None:
        started.set()
        await asyncio.sleep(LONG.total_seconds())

    handles = runner.enqueue_batch([endless.job(1), endless.job(2)])
    runner.start()
    started.wait(LONG.total_seconds())
    assert runner.stop() == 0
    assert [runner.get(handle).state for handle in handles] == [State.PENDING] * 2


def test_wait_is_at_most_a_sixth_of_the_lease(make_runner: MakeRunner) -> None:
    """A longer wait is rejected at the start: the worker would release the jobs before their batch is run."""
    runner = make_runner(lease=SECOND)
    doubling(runner, wait=SECOND / 5)
    with pytest.raises(InvalidArgument, match=r"'double' wait 0:00:00.200000.*a sixth of its lease"):
        runner.start()


def test_apart_from_a_runner(runner: Runner) -> None:
    """A batch handler can be defined at module level, and called directly."""

    @batch("apart", max=2, wait=BRIEFLY)
    def apart(payloads: list[int], contexts: list[Context]) -> list[int]:
        return [payload + 1 for payload in payloads]

    assert runner.register(apart) is apart
    assert apart([1], [Context(stored())]) == [2]
    runner.start()
    assert values(runner, [apart.enqueue(1)]) == [2]


def bare(payloads: list, contexts: list[Context]) -> None: ...  # type: ignore[type-arg]  # invalid on purpose
def single(payload: int, ctx: Context) -> int: ...  # type: ignore[empty-body]  # invalid on purpose
def one_result(payloads: list[int], contexts: list[Context]) -> int: ...  # type: ignore[empty-body]
def one_argument(payloads: list[int]) -> None: ...
def generator(payloads: list[int], contexts: list[Context]) -> Any:
    """Yield, which a handler cannot."""
    yield 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (bare, "annotate a list of payloads"),
        (single, "annotate a list of payloads"),
        (one_result, "must return a list with a result or an exception for each job"),
        (one_argument, "two arguments"),
        (generator, "generator"),
    ],
)
def test_not_a_batch_handler(function: Callable[..., Any], message: str) -> None:
    """A function that does not take and return lists is rejected at its definition."""
    with pytest.raises(DefinitionError, match=message):
        batch("bad")(function)


@pytest.mark.parametrize("options", [{"max": 0}, {"max": 10_001}, {"max": "3"}, {"wait": 3}, {"wait": -SECOND}])
def test_bad_options(options: dict[str, Any]) -> None:
    """`max` is from 1 to 10,000, and `wait` a duration."""
    with pytest.raises(InvalidArgument, match=next(iter(options))):
        batch("bad", **options)(lambda payloads, contexts: None)
