"""Handlers in child processes."""

import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tallystick import (
    AlreadyStarted,
    ChildError,
    Context,
    DefinitionError,
    InvalidArgument,
    Job,
    Options,
    ProcessCrashed,
    Record,
    Runner,
    State,
    Status,
    job,
)

from .helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, eventually

FOLDER = Path(__file__).parent / "isolated_jobs"


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the module of the jobs."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield import_module("isolated_jobs")
    del sys.modules["isolated_jobs"]


@pytest.fixture
def runner(jobs: ModuleType, tmp_path: Path) -> Iterator[Runner]:
    """Return the runner of these jobs, on a store of its own."""
    runner: Runner = jobs.runner
    runner.configure(backend=f"sqlite:///{tmp_path}/jobs.db", lease=timedelta(seconds=30), grace=LONG)
    runner.include(jobs)
    with runner:
        yield runner


def ended(runner: Runner, job: Any, state: State = State.DISCARDED) -> Record:
    """Run a job, and return its record when it has this state."""
    handle = runner.enqueue(job)
    if not runner.running:
        runner.start()
    eventually(lambda: runner.get(handle).state is state)
    return runner.get(handle)


def test_results(runner: Runner, jobs: ModuleType) -> None:
    """Functions, classes, declared and raw handlers run in another process, which is used again."""
    runner.start()
    calls = [jobs.pid.job(None), jobs.Square(number=7), jobs.send.job("four"), jobs.raw.job(b"ab"), jobs.pid.job(None)]
    pid, *results, again = [runner.result(runner.enqueue(call), timeout=LONG) for call in calls]
    assert results == [49, 4, b"ba"]
    assert pid == again != os.getpid()


def test_context(runner: Runner, jobs: ModuleType) -> None:
    """An async handler sees the facts of its attempt, and the current runner has the store of the worker."""
    handle = runner.enqueue(jobs.facts.job(None))
    runner.start()
    meta = {"tenant": "acme"}
    assert runner.result(handle, timeout=LONG) == [str(handle.id), 1, meta, False, runner.settings.backend]


@pytest.mark.parametrize(
    ("how", "type", "message"),
    [("value", "ValueError", "no value"), ("odd", "OddError", "odd"), ("exit", "SystemExit", "3")],
)
def test_exceptions(runner: Runner, jobs: ModuleType, how: str, type: str, message: str) -> None:
    """An exception is recorded with its type, its message and its traceback in the child."""
    seen: list[BaseException | None] = []
    runner.on_discarded(lambda record, outcome, exception: seen.append(exception))
    error = ended(runner, jobs.fail.job(how)).last_error
    assert error is not None
    assert (error.type.rpartition(".")[2], error.message) == (type, message)
    assert "in fail\n" in error.traceback
    runner.stop()
    [exception] = seen
    assert isinstance(exception, {"value": ValueError, "odd": ChildError, "exit": SystemExit}[how])


def test_retry_policy(runner: Runner, jobs: ModuleType) -> None:
    """The retry policy decides by the class of the exception."""
    assert ended(runner, jobs.fail.job("known"), State.COMPLETED).attempt == 2


def test_discard_and_snooze(runner: Runner, jobs: ModuleType) -> None:
    """`DiscardJob` and `Snooze` work as in a thread, even if an exception cannot be pickled."""
    for how, message in (("discard", "enough"), ("odd discard", "nomore")):
        error = ended(runner, jobs.fail.job(how)).last_error
        assert error is not None
        assert error.message == message
    assert ended(runner, jobs.fail.job("snooze"), State.PENDING).attempt <= 1
    eventually(lambda: runner.snapshot().released)


def test_payload_and_result_are_checked_in_the_child(runner: Runner, jobs: ModuleType) -> None:
    """An unreadable payload is retried, and a result of another type discards the job."""
    handle = runner.enqueue_raw("square", b'{"number": "x"}', max_attempts=1)
    error = ended(runner, jobs.wrong.job(None)).last_error
    assert error is not None
    assert error.type.endswith("InvalidResult")
    assert error.message.startswith("the handler ran and returned")
    eventually(lambda: runner.get(handle).state is State.DISCARDED)
    unread = runner.get(handle).last_error
    assert unread is not None
    assert unread.type.endswith("InvalidPayload")


@pytest.mark.parametrize(
    ("how", "words", "code"),
    [
        ("segfault", "was killed by SIGSEGV", -signal.SIGSEGV),
        ("_exit", "exited with 7", 7),
        ("kill", "was killed by SIGKILL before its handler returned; the system kills", -signal.SIGKILL),
        ("close", "was killed by SIGKILL", -signal.SIGKILL),
    ],
)
def test_crash(runner: Runner, jobs: ModuleType, how: str, words: str, code: int) -> None:
    """A crash is a failed attempt whose error names the signal or the exit code, and the worker goes on."""
    seen: list[BaseException | None] = []
    runner.on_discarded(lambda record, outcome, exception: seen.append(exception))
    error = ended(runner, jobs.crash.job(how)).last_error
    assert error is not None
    assert error.type.endswith("ProcessCrashed")
    assert f"the child process of 'crash' {words}" in error.message
    assert runner.result(runner.enqueue(jobs.pid.job(None)), timeout=LONG) != os.getpid()
    [exception] = seen
    assert isinstance(exception, ProcessCrashed)
    assert exception.exit_code == code


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not enforce RLIMIT_AS")
def test_memory_limit(runner: Runner, jobs: ModuleType) -> None:
    """An allocation beyond the limit is a MemoryError; a smaller one succeeds, and other kinds have no limit."""
    assert ended(runner, jobs.memory.job(10), State.COMPLETED)
    error = ended(runner, jobs.memory.job(2**30)).last_error
    assert error is not None
    assert error.type == "MemoryError"
    assert ended(runner, jobs.memory.job(10), State.COMPLETED)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended; an orphan may wait for someone to reap it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def began(out: Path) -> list[int]:
    """Return the processes that a handler has written."""
    return [int(pid) for pid in eventually(lambda: out.exists() and out.read_text().split())]


def test_timeout(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """At its timeout, a child that holds the global interpreter lock is killed, and its place is free."""
    timeout = replace(jobs.hold, options=replace(jobs.hold.options, timeout=SECOND / 10))
    jobs.hold = timeout
    out = tmp_path / "out"
    other = Runner(runner.backend, poll=SECOND / 50, concurrency=1, lease=SHORT_LEASE)
    other.register(timeout)
    other.register(jobs.pid)
    with other:
        error = ended(other, timeout.job(str(out))).last_error
        assert error is not None
        assert error.type == "TimeoutError"
        assert other.result(other.enqueue(jobs.pid.job(None)), timeout=LONG)
        eventually(lambda: other.snapshot().stuck == 0)
        assert is_gone(*began(out))
