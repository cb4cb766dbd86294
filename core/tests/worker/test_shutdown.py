"""Stopping a worker loses no job and uses up no attempt."""

import asyncio
from collections.abc import Callable
from threading import Event, Thread

import pytest
from tallystick import Context, Definition, JobDiscarded, Record, Runner, State, Stop, open_backend

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually


@pytest.fixture
def begun() -> Event:
    """Return an event that a handler sets when it begins."""
    return Event()


@pytest.fixture
def release() -> Event:
    """Return an event that a blocked handler waits for."""
    return Event()


def released(record: Record) -> bool:
    """Check that a job was released without using up an attempt."""
    free = record.max_attempts - record.attempt == 20
    return record.state is State.PENDING and free and record.last_error is None


def test_jobs_finish(runner: Runner, begun: Event, release: Event) -> None:
    """During the grace, jobs finish, and their outcomes are recorded."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> str:
        begun.set()
        release.wait()
        return "done"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    stopping = Thread(target=runner.stop)
    stopping.start()
    eventually(lambda: not runner.running)
    release.set()
    stopping.join()
    assert runner.result(handle) == "done"


def test_stop_claims_nothing(make_runner: MakeRunner, begun: Event, release: Event) -> None:
    """`stop` claims no more jobs from its beginning; unstarted jobs stay as they were."""
    runner = make_runner(concurrency=1)

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        release.wait()

    handles = [runner.enqueue(block.job(None)) for _ in range(3)]
    runner.start()
    assert begun.wait(LONG.total_seconds())
    stopping = Thread(target=runner.stop)
    stopping.start()
    eventually(lambda: not runner.running)
    release.set()
    stopping.join()
    assert [runner.get(handle).state for handle in handles] == [State.COMPLETED, State.PENDING, State.PENDING]
    assert all(released(runner.get(handle)) for handle in handles[1:])


def test_sync_handler_that_never_returns(runner: Runner, begun: Event, release: Event) -> None:
    """A sync handler that never returns does not delay `stop`: its job is released without using up an attempt."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> str:
        begun.set()
        release.wait()
        return "too late"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=AT_ONCE)
    assert released(runner.get(handle))
    release.set()


def test_sync_handler_sees_should_stop(runner: Runner, begun: Event) -> None:
    """After the grace, a sync handler sees `should_stop`; if it stops, its job is released and loses no attempt."""
    reasons: list[Stop | None] = []

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        reasons.append(ctx.stop)
        ctx.check()

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=AT_ONCE)
    assert released(runner.get(handle))
    assert reasons == [Stop.SHUTDOWN]


def test_async_handler_is_cancelled(runner: Runner, begun: Event) -> None:
    """After the grace, an async handler is cancelled and can clean up; its job is released and loses no attempt."""
    cleaned_up: list[Stop | None] = []

    @runner.job("block")
    async def block(payload: None, ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.append(ctx.stop)

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=AT_ONCE)
    assert released(runner.get(handle))
    assert cleaned_up == [Stop.SHUTDOWN]


def test_released_job_is_worked(make_runner: MakeRunner, begun: Event, release: Event) -> None:
    """Another runner works a released job, and the late outcome of the first runner is rejected."""
    url = "memory://given-back"
    with open_backend(url) as store:
        first, second = make_runner(url), make_runner(url)

        def block(payload: None, ctx: Context) -> str:
            begun.set()
            release.wait()
            return ctx.record.worker or ""

        jobs: list[Definition[None, str]] = [runner.job("block")(block) for runner in (first, second)]
        handle = first.enqueue(jobs[0].job(None))
        first.start()
        assert begun.wait(LONG.total_seconds())
        first.stop(grace=AT_ONCE)
        release.set()
        second.start()
        assert second.result(handle, timeout=LONG) == second.settings.worker
        assert second.get(handle).attempt == 2
        store.teardown()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_hurried(runner: Runner, begun: Event, asynchronous: bool) -> None:
    """A hurried `stop` ends the grace at once."""

    def sync(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: ctx.should_stop)
        ctx.check()

    async def coroutine(payload: None, ctx: Context) -> None:
        begun.set()
        await asyncio.Event().wait()

    block = runner.job("block")(coroutine if asynchronous else sync)
    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=100 * LONG, hurried=iter([False, True, True, True]).__next__)
    assert released(runner.get(handle))


def interrupted() -> Callable[[], bool]:
    """Return a function that raises KeyboardInterrupt once, like Ctrl-C."""
    first = iter([True])

    def hurried() -> bool:
        if next(first, False):
            raise KeyboardInterrupt
        return False

    return hurried


def test_interrupted(runner: Runner, begun: Event, release: Event) -> None:
    """KeyboardInterrupt during the grace ends it: the job is released, and no thread of the worker keeps it."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        release.wait()

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    with pytest.raises(KeyboardInterrupt):
        runner.stop(grace=100 * LONG, hurried=interrupted())
    assert released(runner.get(handle))
    release.set()


def stop_in_handler(runner: Runner) -> Callable[[None, Context], None]:
    """Return a handler that stops its own runner."""

    def quit(payload: None, ctx: Context) -> None:
        runner.stop(grace=AT_ONCE)

    return quit


def test_handler_stops_its_runner(runner: Runner) -> None:
    """A handler cannot stop its own runner: the attempt fails with CalledFromInside, and the runner keeps running."""
    quit = runner.job("quit", max_attempts=1)(stop_in_handler(runner))
    handle = runner.enqueue(quit.job(None))
    runner.start()
    with pytest.raises(JobDiscarded, match="CalledFromInside"):
        runner.result(handle, timeout=LONG)
    assert runner.running
