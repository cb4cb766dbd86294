import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from tallystick import Context, NoCurrentRunner, Runner
from tallystick.jobs.current import unclosed_runners

from ..helpers import LONG, MakeRunner


@pytest.fixture(autouse=True)
def no_other_runners() -> None:
    """Forget the runners of other tests that were not closed."""
    unclosed_runners.clear()


def test_in_handlers(make_runner: MakeRunner) -> None:
    """In a sync or async handler, the current runner is the one that works the job, even if others are open."""
    runner, other = make_runner(), make_runner()
    _ = other.backend
    seen: dict[str, object] = {}

    @runner.job("sync")
    def sync(payload: None, ctx: Context) -> None:
        seen["sync"] = Runner.current()

    @runner.job("async")
    async def coroutine(payload: None, ctx: Context) -> None:
        seen["async"] = Runner.current()
        seen["thread"] = await asyncio.to_thread(Runner.current)
        seen["task"] = await asyncio.create_task(current())

    async def current() -> Runner:
        return Runner.current()

    runner.start()
    for job in (sync, coroutine):
        runner.result(runner.enqueue(job.job(None)).id, timeout=LONG)
    assert seen == dict.fromkeys(["sync", "async", "thread", "task"], runner)


def test_one_is_open(runner: Runner) -> None:
    """Outside a handler, the current runner is the only open one, in every thread."""
    with runner:
        assert Runner.current() is runner
        seen: list[Runner] = []
        thread = threading.Thread(target=lambda: seen.append(Runner.current()))
        thread.start()
        thread.join()
        assert seen == [runner]


def test_none_is_open(runner: Runner) -> None:
    """Before its first use, the only runner is the current one; after its close, there is none."""
    assert Runner.current() is runner
    with runner:
        pass
    with pytest.raises(NoCurrentRunner, match="0 runners are open"):
        Runner.current()


def test_several_are_open(make_runner: MakeRunner) -> None:
    """With several open runners, none of them is the current one."""
    with make_runner(), make_runner(), pytest.raises(NoCurrentRunner, match="2 runners are open"):
        Runner.current()


def test_in_a_pool_of_a_handler(make_runner: MakeRunner) -> None:
    """In a handler's own thread pool, the current runner needs a copied context; the error explains how."""
    runner, other = make_runner(), make_runner()
    _ = other.backend

    @runner.job("pool")
    def pool(payload: None, ctx: Context) -> str:
        with ThreadPoolExecutor(1) as executor:
            assert executor.submit(copy_context().run, Runner.current).result() is runner
            with pytest.raises(NoCurrentRunner) as raised:
                executor.submit(Runner.current).result()
            return str(raised.value)

    runner.start()
    message = runner.result(runner.enqueue(pool.job(None)), timeout=LONG)
    assert "2 runners are open" in message
    assert "contextvars.copy_context().run" in message
