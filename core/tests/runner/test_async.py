"""The runner in an async application, and async handlers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import iscoroutinefunction
from threading import get_ident
from typing import Any

import pytest
from tallystick import (
    Context,
    Definition,
    Filter,
    InvalidPayload,
    Job,
    JobNotFound,
    NotFinished,
    Runner,
    State,
)

from ..helpers import AT_ONCE, LONG, NOW, SECOND, MakeRunner

VARIANTS = [name for name in dir(Runner) if name.startswith("a") and name[1:] in dir(Runner)]


class Greet(Job[str]):
    """A job with an async handler."""

    kind = "greet"

    name: str

    async def work(self, ctx: Context) -> str:
        """Return a greeting."""
        await asyncio.sleep(0)
        return f"Hello {self.name}"


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner that has the job registered."""
    runner = make_runner()
    runner.register(Greet)
    return runner


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an async test."""
    asyncio.run(main())


def test_every_call_has_an_async_variant() -> None:
    """Every call that reaches the store has an async variant."""
    assert {name[1:] for name in VARIANTS} == {
        *("enqueue", "enqueue_in", "enqueue_at", "enqueue_batch", "enqueue_raw"),
        *("wait_for", "wait_for_all", "wait_stopped", "pause", "resume", "queues", "stats", "throughput"),
        *("get", "result", "cancel", "requeue", "delete", "start", "stop", "close"),
        *("schedules", "put_schedule", "pause_schedule", "resume_schedule", "remove_schedule", "run_schedule"),
    }


def test_async_variants(runner: Runner) -> None:
    """The async variants do and return the same as the sync calls."""

    async def main() -> None:
        await runner.astart()
        handle = await runner.aenqueue(Greet(name="Ada"), priority=1)
        assert await runner.aresult(handle, timeout=LONG) == "Hello Ada"
        assert (await runner.aget(handle)).priority == 1
        raw = await runner.aenqueue_raw("greet", b'{"name": "Bob"}')
        assert await runner.aresult(raw.id, timeout=LONG) == "Hello Bob"
        batch = await runner.aenqueue_batch([Greet(name="1"), Greet(name="2")], run_at=LONG)
        later = [await runner.aenqueue_in(LONG, Greet(name="3")), await runner.aenqueue_at(NOW, Greet(name="4"))]
        assert later[1].record.run_at == NOW
        assert await runner.acancel(batch[0]) == 1
        assert await runner.arequeue(batch[0]) == 1
        assert await runner.aresult(batch[0], timeout=LONG) == "Hello 1"
        assert await runner.adelete(Filter(states=[State.COMPLETED, State.PENDING])) >= 4
        await runner.astop(grace=AT_ONCE)
        assert not runner.running

    run(main)


def test_errors(runner: Runner) -> None:
    """The async variants raise the same errors as the sync calls."""

    async def main() -> None:
        with pytest.raises(InvalidPayload):
            await runner.aenqueue_raw("greet", b"{}")
        handle = await runner.aenqueue(Greet(name="Ada"))
        with pytest.raises(NotFinished):
            await runner.aresult(handle, timeout=SECOND / 50)
        await runner.adelete(handle)
        with pytest.raises(JobNotFound):
            await runner.aget(handle)

    run(main)


def test_loop_is_free(runner: Runner) -> None:
    """The caller's event loop stays free while `aresult` waits."""

    async def main() -> None:
        handle = await runner.aenqueue(Greet(name="Ada"))
        waiting = asyncio.create_task(runner.aresult(handle, timeout=LONG))
        await asyncio.sleep(0)
        await runner.astart()
        assert await waiting == "Hello Ada"

    run(main)


def test_one_loop(runner: Runner) -> None:
    """All async handlers share one event loop in its own thread, so they can wait for one another."""
    seen: set[int] = set()
    together: list[asyncio.Barrier] = []

    @runner.job("meet")
    async def meet(payload: None, ctx: Context) -> None:
        if not together:
            together.append(asyncio.Barrier(3))
        seen.add(get_ident())
        await together[0].wait()

    handles = runner.enqueue_batch([meet.job(None) for _ in range(3)])
    runner.start()
    for handle in handles:
        runner.result(handle.id, timeout=LONG)
    assert len(seen) == 1
    assert get_ident() not in seen


def test_concurrency(make_runner: MakeRunner) -> None:
    """At most `concurrency` async handlers run at a time."""
    runner = make_runner(concurrency=2)
    working, most = 0, 0

    @runner.job("work")
    async def work(payload: None, ctx: Context) -> None:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await asyncio.sleep(0.001)
        working -= 1

    handles = runner.enqueue_batch([work.job(None) for _ in range(30)])
    runner.start()
    for handle in handles:
        runner.result(handle.id, timeout=LONG)
    assert most == 2


def test_mixed(make_runner: MakeRunner) -> None:
    """Sync and async handlers run in one worker, and enqueue each other's jobs."""
    runner = make_runner(concurrency=20)

    @runner.job("sync")
    def sync(payload: int, ctx: Context) -> int:
        return payload + 1

    @runner.job("async")
    async def coroutine(payload: int, ctx: Context) -> int:
        current = Runner.current()
        assert isinstance(current, Runner)
        return await current.aresult(await current.aenqueue(sync.job(payload)), timeout=LONG)

    runner.start()
    handles = [runner.enqueue(job.job(n)) for n in range(4) for job in (sync, coroutine)]
    assert [runner.result(handle, timeout=LONG) for handle in handles] == [1, 1, 2, 2, 3, 3, 4, 4]


def test_called_as_a_function(runner: Runner) -> None:
    """An async handler can still be called as a plain function."""

    @runner.job("double")
    async def double(payload: int, ctx: Context) -> int:
        return 2 * payload

    async def main() -> None:
        doubled: Definition[int, int] = double
        awaitable = doubled(2, None)  # type: ignore[arg-type]  # this handler ignores its context
        assert isinstance(awaitable, Awaitable)
        assert await awaitable == 4

    run(main)


def test_names() -> None:
    """An async variant has its own name, and the docstring of its method."""
    assert Runner.aget.__name__ == "aget"
    assert Runner.acancel.__qualname__ == "Runner.acancel"
    assert Runner.__aenter__.__name__ == "__aenter__"
    assert Runner.aget.__doc__ == Runner.get.__doc__
    assert all(iscoroutinefunction(getattr(Runner, name)) for name in VARIANTS)


def test_override() -> None:
    """A subclass that overrides a method also changes the async variant."""

    class Counted(Runner):
        stops = 0

        def stop(self, **options: Any) -> int:
            self.stops += 1
            return super().stop(**options)

    async def main() -> None:
        async with Counted("memory://") as counted:
            await counted.astop()
        assert counted.stops == 2

    run(main)
