"""The life of a runner: enter, start, run, stop and close, repeatedly and from any thread."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from weakref import ref

import pytest
from tallystick import AlreadyStarted, CalledFromInside, Context, Runner, State
from tallystick.signals import StopSignals
from tallystick_memory import MemoryBackend

from ..helpers import LONG, MakeRunner, eventually


def register_echo(runner: Runner) -> Callable[[int], Any]:
    """Register a job, and return a function that makes one."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo.job


@pytest.mark.parametrize("as_object", [False, True], ids=["url", "object"])
def test_entered_again(make_runner: MakeRunner, as_object: bool) -> None:
    """A closed runner works again each time it is entered, with its store given as a URL or an object."""
    runner = make_runner(MemoryBackend() if as_object else "memory://")
    echo = register_echo(runner)
    for number in range(3):
        with runner:
            runner.start()
            assert runner.result(runner.enqueue(echo(number)), timeout=LONG) == number
        assert (runner.closed, runner.running) == (True, False)


def test_lifespan_entered_again(make_runner: MakeRunner) -> None:
    """An application's lifespan can be entered once per test, each time on a new event loop."""
    runner = make_runner()
    echo = register_echo(runner)

    async def lifespan(number: int) -> int:
        async with runner:
            await runner.astart()
            result: int = await runner.aresult(await runner.aenqueue(echo(number)), timeout=LONG)
            return result

    assert [asyncio.run(lifespan(number)) for number in range(3)] == [0, 1, 2]


def test_lifespan_of_an_application(make_runner: MakeRunner) -> None:
    """The lifespan opens the runner and closes it, each time it is entered, and runs a worker only if asked to."""
    runner = make_runner()
    echo = register_echo(runner)

    async def application(number: int, *, worker: bool) -> tuple[bool, bool]:
        async with runner.lifespan(worker=worker)(object()):
            handle = await runner.aenqueue(echo(number))
            if worker:
                assert await runner.aresult(handle, timeout=LONG) == number
            return runner.closed, runner.running

    assert [asyncio.run(application(n, worker=n > 0)) for n in range(3)] == [
        (False, False),
        (False, True),
        (False, True),
    ]
    assert (runner.closed, runner.running) == (True, False)


def test_lifespan_of_an_application_that_fails(runner: Runner) -> None:
    """An exception of the application leaves the lifespan, and the runner is closed."""

    async def application() -> None:
        async with runner.lifespan(worker=True)(object()):
            raise LookupError("no application")

    register_echo(runner)
    with pytest.raises(LookupError, match="no application"):
        asyncio.run(application())
    assert (runner.closed, runner.running) == (True, False)


def test_wait_stopped(runner: Runner) -> None:
    """The wait ends when the worker has stopped, and at once if none runs; a worker that still stops is waited for."""
    begun, release = Event(), Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        release.wait()

    assert runner.wait_stopped()
    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    assert not runner.wait_stopped(timeout=timedelta(0))
    stopping = Thread(target=runner.stop)
    stopping.start()
    eventually(lambda: not runner.running)
    assert not runner.wait_stopped(timeout=timedelta(0))
    assert not asyncio.run(runner.await_stopped(timeout=timedelta(milliseconds=1)))
    release.set()
    assert runner.wait_stopped(timeout=LONG)
    assert runner.get(handle).state is State.COMPLETED
    assert asyncio.run(runner.await_stopped())
    stopping.join()


def test_wait_stopped_inside(runner: Runner) -> None:
    """A handler that waits for the stop of its own runner gets an error, because it would wait for itself."""

    @runner.job("wait")
    def wait(payload: None, ctx: Context) -> str:
        with pytest.raises(CalledFromInside):
            runner.wait_stopped()
        with pytest.raises(CalledFromInside):
            asyncio.run(runner.await_stopped())
        return "raised"

    runner.start()
    assert runner.result(runner.enqueue(wait.job(None)), timeout=LONG) == "raised"


def test_run_outside_the_main_thread(runner: Runner) -> None:
    """`run` works in any thread, and returns after another thread has stopped the runner."""
    echo = register_echo(runner)
    for number in range(2):
        thread = Thread(target=runner.run)
        thread.start()
        eventually(lambda: runner.running)
        assert runner.result(runner.enqueue(echo(number)), timeout=LONG) == number
        runner.stop()
        thread.join(LONG.total_seconds())
        assert not thread.is_alive()


def test_stop_ends_run_in_the_main_thread(runner: Runner) -> None:
    """`stop` in another thread ends `run` in the main thread, and `run` restores the signal handlers."""
    register_echo(runner)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    def stop() -> None:
        eventually(lambda: runner.running)
        runner.stop()

    stopping = Thread(target=stop)
    stopping.start()
    runner.run()
    stopping.join()
    assert not runner.running
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_run_of_a_started_runner(runner: Runner) -> None:
    """`run` of a running runner raises AlreadyStarted and leaves it running."""
    register_echo(runner)
    runner.start()
    with pytest.raises(AlreadyStarted, match="already running"):
        runner.run()
    assert runner.running


def test_run_that_is_interrupted(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that a signal handler raises during `run` stops the worker."""
    register_echo(runner)

    def interrupted(self: StopSignals, ended: Callable[[], bool]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StopSignals, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    assert not runner.running


def test_stop_inside_a_stop(runner: Runner) -> None:
    """`stop` inside a running `stop` of the same thread, as in a signal handler, returns."""
    register_echo(runner)
    runner.start()
    called: list[bool] = []

    def hurried() -> bool:
        called.append(True)
        runner.stop()
        return True

    release_late(runner)
    runner.stop(hurried=hurried)
    assert called


def test_a_second_stop_hurries_the_first(runner: Runner) -> None:
    """A hurried `stop` ends the grace of a `stop` that another thread has begun."""
    register_echo(runner)
    release_late(runner)
    first = Thread(target=lambda: runner.stop(grace=100 * LONG))
    first.start()
    eventually(lambda: not runner.running)
    runner.stop(hurried=lambda: True)
    first.join(LONG.total_seconds())
    assert not first.is_alive()


def test_a_started_runner_is_kept(make_runner: MakeRunner) -> None:
    """A running runner keeps working after the program has dropped its last reference."""
    store = MemoryBackend()
    dropped = Runner(store)
    register_echo(dropped)
    dropped.start()
    reference = ref(dropped)
    del dropped
    gc.collect()
    client = make_runner(store)
    assert client.result(client.enqueue(register_echo(client)(7)), timeout=LONG) == 7
    runner = reference()
    assert runner is not None
    runner.close()


def release_late(runner: Runner) -> None:
    """Enqueue and start a job that ends only on request, so that `stop` has to wait for it."""
    runner.stop()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        eventually(lambda: ctx.should_stop)
        ctx.check()

    runner.enqueue(block.job(None))
    runner.start()
    eventually(lambda: runner.snapshot().working)


def test_registering_after_stop(runner: Runner) -> None:
    """Jobs can be registered again after a stop."""
    register_echo(runner)
    runner.start()
    with pytest.raises(AlreadyStarted, match=r"call stop\(\) first"):
        runner.raw("late")(lambda payload, ctx: payload)
    runner.stop()
    runner.raw("late")(lambda payload, ctx: payload)
    runner.start()
    assert runner.result(runner.enqueue_raw("late", b"7"), timeout=LONG) == b"7"


def test_registering_after_a_failed_start(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed start, jobs can still be registered."""
    register_echo(runner)

    def fail(self: Thread) -> None:
        raise RuntimeError("no thread")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", fail)
        with pytest.raises(RuntimeError):
            runner.start()
    runner.raw("late")(lambda payload, ctx: payload)


FORKED = """
import os
from tallystick import Context, Runner

runner = Runner("memory://")

@runner.job("echo")
def echo(payload: int, ctx: Context) -> int:
    return payload

runner.enqueue_in(__import__("datetime").timedelta(hours=1), echo.job(1))
runner.start()
if os.fork() == 0:
    print("running", runner.running, flush=True)
    runner.stop()
    raise SystemExit(0)
_, status = os.wait()
print("child", os.waitstatus_to_exitcode(status), "running", runner.running, flush=True)
runner.stop()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_forked() -> None:
    """A forked child does not run its parent's worker, logs nothing about the parent's jobs, and exits at once."""
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["running False", "child 0 running True"]
    assert done.stderr.count("unfinished jobs are lost") == 1
