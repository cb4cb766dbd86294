"""Forks with an open store: the calls that work in the child, and the parent afterwards."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from support import Spawn, in_child
from tallystick import Closed, Context, NewRecord, Runner, Unavailable, open_backend

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

PATIENCE = 60
LEASE = timedelta(seconds=60)


def test_inherited_client(url: str) -> None:
    """In a forked child, the parent's client raises Closed and can be closed, and the parent can still use it."""
    with open_backend(url) as backend:
        backend.setup()
        backend.insert([NewRecord(kind="k")])
        calls: dict[str, Callable[[], object]] = {
            "insert": lambda: backend.insert([NewRecord(kind="k")]),
            "claim": lambda: backend.claim(["default"], limit=1, worker="child", lease=LEASE),
            "stats": backend.stats,
            "wait": lambda: backend.wait(["default"], timeout=timedelta(0)),
            "setup": backend.setup,
            "teardown": backend.teardown,
        }
        for name, call in calls.items():
            result = in_child(call)
            assert isinstance(result, Closed), name
            assert "open another in the child" in str(result)
        assert in_child(backend.close) is None
        assert in_child(lambda: open_backend(url).close()) is None
        assert len(backend.claim(["default"], limit=9, worker="w", lease=LEASE)) == 1


def test_inherited_runner(shared_url: str) -> None:
    """An open runner reopens its store in a forked child, and the jobs of both processes are stored."""
    with Runner(shared_url) as runner:

        @runner.job("echo")
        def echo(payload: str, ctx: Context) -> None: ...

        runner.enqueue(echo.job("before"))
        child = in_child(lambda: [runner.enqueue(echo.job("child")).id for _ in range(20)])
        mine = [runner.enqueue(echo.job("parent")).id for _ in range(20)]
        assert len(runner.backend.get([*child, *mine])) == 40


def test_inherited_runner_with_its_own_store() -> None:
    """In a forked child, an open runner on memory rejects jobs, because no worker would see them."""
    with Runner("memory://") as runner:

        @runner.job("echo")
        def echo(payload: str, ctx: Context) -> None: ...

        assert isinstance(in_child(lambda: runner.enqueue(echo.job("child")).id), Closed)
        runner.enqueue(echo.job("parent"))


def test_inherited_worker(shared_url: str) -> None:
    """In a forked child, the runner is not running, has a new worker name, and can be started."""
    with Runner(shared_url, poll=timedelta(milliseconds=20)) as runner:

        @runner.job("pid")
        def pid(payload: None, ctx: Context) -> int:
            return os.getpid()

        runner.start()
        runner.result(runner.enqueue(pid.job(None)), timeout=timedelta(seconds=PATIENCE))
        name = runner.settings.worker

        def work() -> tuple[bool, str, int, int]:
            was_running = runner.running
            runner.start()
            handles = [runner.enqueue(pid.job(None)) for _ in range(10)]
            workers = {runner.result(handle, timeout=timedelta(seconds=PATIENCE)) for handle in handles}
            runner.close()
            return was_running, runner.settings.worker, len(workers & {os.getpid(), os.getppid()}), len(workers)

        was_running, child_name, known, workers = in_child(work)
        assert not was_running
        assert child_name != name
        assert known == workers
        assert runner.running
        assert runner.result(runner.enqueue(pid.job(None)), timeout=timedelta(seconds=PATIENCE)) == os.getpid()


def test_chosen_worker_name() -> None:
    """A chosen worker name stays the same in a forked child."""
    runner = Runner("memory://", worker="mine")
    assert in_child(lambda: runner.settings.worker) == "mine"


def test_child_in_a_handler(shared_url: str) -> None:
    """In a child that a handler forks, the handler's runner is the current one, and can be closed."""
    with Runner(shared_url, poll=timedelta(milliseconds=20)) as runner:

        @runner.job("echo")
        def echo(payload: str, ctx: Context) -> None: ...

        @runner.job("fork", queue="forks")
        def fork(payload: None, ctx: Context) -> bool:
            def work() -> Any:
                with Runner.current() as current:
                    return current.enqueue(echo.job("from a child")).id

            return len(runner.backend.get([in_child(work)])) == 1

        runner.start()
        assert runner.result(runner.enqueue(fork.job(None)), timeout=timedelta(seconds=PATIENCE))


def test_named_memory() -> None:
    """In a forked child, a named memory store is empty, and the parent keeps its jobs."""
    with open_backend("memory://forked") as backend:
        backend.insert([NewRecord(kind="k")])
        assert in_child(lambda: open_backend("memory://forked").stats().total) == 0
        assert backend.stats().total == 1
        backend.teardown()


def test_fork_during_writes(shared_url: str) -> None:
    """A child that is forked while threads of the parent write can write too, and no job is lost."""
    with open_backend(shared_url) as backend:
        backend.setup()
        ended = Event()
        stored = 0

        def write() -> None:
            nonlocal stored
            while not ended.is_set():
                stored += len(backend.insert([NewRecord(kind="parent") for _ in range(20)]))

        thread = Thread(target=write)
        thread.start()

        def work() -> int:
            records = [NewRecord(kind="child") for _ in range(10)]
            while True:
                with suppress(Unavailable), open_backend(shared_url) as own:  # only a busy server is unavailable
                    return len(own.insert(records))

        try:
            results = [in_child(work) for _ in range(6)]
        finally:
            ended.set()
            thread.join()
        assert results == [10] * 6
        assert backend.stats().by_kind == {"parent": stored, "child": 60}


def test_ids() -> None:
    """The random parts of ids differ between a parent and its child, so ids are unique."""

    def random_parts() -> set[bytes]:
        return {NewRecord(kind="k").id.bytes[8:] for _ in range(500)}

    random_parts()
    assert not in_child(random_parts) & random_parts()


def test_program_that_forks(shared_url: str, spawn: Spawn) -> None:
    """A program can fork with a running worker: the child exits normally with finalizers, and the parent works on."""
    process = spawn("forking.py", shared_url)
    out, _ = process.communicate(timeout=100)
    client, running, _, parent = out.splitlines()
    assert (client, running, parent) == ("closed", "not running", "parent stored 3")
    assert process.returncode == 0
