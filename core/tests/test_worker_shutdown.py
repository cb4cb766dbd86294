"""Stopping a worker: nothing is lost, and nothing costs an attempt."""

import asyncio
from collections.abc import Callable
from threading import Event, Thread

import pytest
from tallystick import Context, Definition, JobDiscarded, Record, Runner, State, Stop, open_backend

from .helpers import AT_ONCE, LONG, MakeRunner, eventually


@pytest.fixture
def begun() -> Event:
    """Return what a handler sets when it begins."""
    return Event()


@pytest.fixture
def release() -> Event:
    """Return what a blocked handler waits for."""
    return Event()


def given_back(record: Record) -> bool:
    """Say whether a job waits for its next attempt, and the one before cost nothing."""
    free = record.max_attempts - record.attempt == 20
    return record.state is State.PENDING and free and record.last_error is None


def test_jobs_finish(runner: Runner, begun: Event, release: Event) -> None:
    """Within the grace jobs finish, and their outcomes are recorded."""

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


def test_nothing_is_claimed_any_more(make_runner: MakeRunner, begun: Event, release: Event) -> None:
    """From its beginning a stop lets no other job begin; those wait in the store as they were."""
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
    assert all(given_back(runner.get(handle)) for handle in handles[1:])


def test_sync_handler_that_never_returns(runner: Runner, begun: Event, release: Event) -> None:
    """A sync handler that never returns does not hold up a stop: its job is given back, at no cost."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> str:
        begun.set()
        release.wait()
        return "too late"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=AT_ONCE)
    assert given_back(runner.get(handle))
    release.set()


def test_sync_handler_is_told(runner: Runner, begun: Event) -> None:
    """After the grace a sync handler sees that it should stop; where it does, its job is given back, at no cost."""
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
    assert given_back(runner.get(handle))
    assert reasons == [Stop.SHUTDOWN]


def test_async_handler_is_cancelled(runner: Runner, begun: Event) -> None:
    """After the grace an async handler is cancelled and may tidy up; its job is given back, at no cost."""
    tidied: list[Stop | None] = []

    @runner.job("block")
    async def block(payload: None, ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(ctx.stop)

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.stop(grace=AT_ONCE)
    assert given_back(runner.get(handle))
    assert tidied == [Stop.SHUTDOWN]


def test_what_was_given_back_is_worked(make_runner: MakeRunner, begun: Event, release: Event) -> None:
    """A job that was given back is worked by another runner, and the late outcome of the first is refused."""
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
    """As soon as it is hurried, a stop ends the grace."""

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
    assert given_back(runner.get(handle))


def interrupted() -> Callable[[], bool]:
    """Return what raises as Ctrl-C does, once."""
    first = iter([True])

    def hurried() -> bool:
        if next(first, False):
            raise KeyboardInterrupt
        return False

    return hurried


def test_interrupted(runner: Runner, begun: Event, release: Event) -> None:
    """An interrupt during the grace ends it: the job is given back, and no thread of the worker goes on to hold it."""

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        release.wait()

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    with pytest.raises(KeyboardInterrupt):
        runner.stop(grace=100 * LONG, hurried=interrupted())
    assert given_back(runner.get(handle))
    release.set()


def stop_in_handler(runner: Runner) -> Callable[[None, Context], None]:
    """Return a handler that stops its own runner."""

    def quit(payload: None, ctx: Context) -> None:
        runner.stop(grace=AT_ONCE)

    return quit


def test_handler_stops_its_runner(runner: Runner) -> None:
    """A handler cannot stop its own runner, since the stop would wait for it: the attempt fails, the runner goes on."""
    quit = runner.job("quit", max_attempts=1)(stop_in_handler(runner))
    handle = runner.enqueue(quit.job(None))
    runner.start()
    with pytest.raises(JobDiscarded, match="CalledFromInside"):
        runner.result(handle, timeout=LONG)
    assert runner.running
