"""Handlers in child processes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from tallystick import (
    AlreadyStarted,
    ChildError,
    Context,
    DefinitionError,
    InvalidArgument,
    Job,
    NewRecord,
    Options,
    ProcessCrashed,
    Record,
    Runner,
    State,
    Stop,
    batch,
    raw,
)

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, eventually

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


def test_a_child_is_replaced(runner: Runner, jobs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """After many attempts a child ends, so that what its libraries leak is free again."""
    monkeypatch.setattr("tallystick.isolation.child_process._MOST_ATTEMPTS", 2)
    runner.start()
    pids = [runner.result(runner.enqueue(jobs.pid.job(None)), timeout=LONG) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    eventually(lambda: is_gone(pids[0]))


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
    [stored] = runner.backend.insert([NewRecord(kind="square", payload=b'{"number": "x"}', max_attempts=1)])
    handle = stored.record.id
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
    return [int(pid) for pid in eventually(lambda: out.read_text().split() if out.exists() else [])]


def test_timeout(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """At its timeout, a child that holds the global interpreter lock is killed, and its place is free."""
    timeout: Any = replace(jobs.hold, options=replace(jobs.hold.options, timeout=SECOND / 10))
    vars(jobs)["hold"] = timeout
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


def test_cancel(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """A cancelled handler learns the reason, and ends with the processes that it started."""
    runner.start()
    out = tmp_path / "out"
    handle = runner.enqueue(jobs.wait.job(str(out)))
    _, grandchild = began(out)
    runner.cancel(handle)
    eventually(lambda: runner.get(handle).state is State.CANCELLED)
    assert str(Stop.CANCELLED) in out.read_text()
    assert is_gone(grandchild)


def test_signals(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """SIGTERM and SIGINT do not end a child, because a process manager may send them while the worker drains."""
    runner.start()
    out = tmp_path / "out"
    handle = runner.enqueue(jobs.wait.job(str(out)))
    pid, _ = began(out)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert runner.result(runner.enqueue(jobs.pid.job(None)), timeout=LONG) != pid
    assert not is_gone(pid)
    assert runner.get(handle).state is State.RUNNING
    runner.stop(grace=AT_ONCE)
    assert runner.get(handle).state is State.PENDING


def test_cancel_kills(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """A handler that does not look at its context is killed by a cancellation, without an error."""
    runner.start()
    out = tmp_path / "out"
    handle = runner.enqueue(jobs.hold.job(str(out)))
    [pid] = began(out)
    runner.cancel(handle)
    eventually(lambda: runner.get(handle).state is State.CANCELLED)
    assert is_gone(pid)
    assert runner.get(handle).last_error is None


def test_stop(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """A stop cancels async handlers and kills others after the grace, and releases their jobs without an attempt."""
    runner.start()
    held, awaited = tmp_path / "held", tmp_path / "awaited"
    handles = [runner.enqueue(jobs.hold.job(str(held))), runner.enqueue(jobs.await_.job(str(awaited)))]
    [pid] = began(held)
    eventually(awaited.exists)
    assert runner.stop(grace=AT_ONCE) == 0
    assert is_gone(pid)
    assert awaited.read_text() == f"stopped: {Stop.SHUTDOWN}"
    records = [runner.get(handle) for handle in handles]
    assert {(record.state, record.max_attempts - record.attempt) for record in records} == {(State.PENDING, 1)}


def test_grace(runner: Runner, jobs: ModuleType) -> None:
    """A stop waits for a child within the grace, and leaves no child."""
    handle = runner.enqueue(jobs.pid.job(None))
    runner.start()
    eventually(lambda: runner.snapshot().working or runner.snapshot().completed)  # no longer waiting in the worker
    runner.stop()
    assert is_gone(runner.result(handle))


def test_lost_lease(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """The child of an attempt that lost its lease is killed."""
    runner.close()
    runner.configure(lease=SHORT_LEASE)
    out = tmp_path / "out"
    with runner:
        handle = runner.enqueue(jobs.hold.job(str(out)), max_attempts=2)
        runner.start()
        [pid] = began(out)
        future = datetime.now(UTC) + timedelta(days=1)
        eventually(lambda: runner.backend.rescue(limit=10, now=future))
        eventually(lambda: is_gone(pid))
        eventually(lambda: runner.snapshot().lost)
        assert runner.get(handle).attempt <= 2


@pytest.mark.parametrize("name", ["hold", "wait"])
def test_no_orphan(jobs: ModuleType, tmp_path: Path, name: str) -> None:
    """If the worker is killed, its children end with those that they started, even while a handler holds the lock."""
    out = tmp_path / "out"
    program = f"""
from isolated_jobs import {name} as job, runner
runner.enqueue(job.job({str(out)!r}))
runner.run()
"""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER), "TALLYSTICK_BACKEND": f"sqlite:///{tmp_path}/jobs.db"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as worker:
        pids = began(out)
        worker.kill()
    eventually(lambda: all(map(is_gone, pids)))


def test_services(runner: Runner, jobs: ModuleType) -> None:
    """A child makes the services of the handler by the providers of the runner."""
    assert ended(runner, jobs.use.job(None), State.COMPLETED).result == b"true"
    assert ended(runner, jobs.ause.job(None), State.COMPLETED).result == b"true"


def test_carried_variables(runner: Runner, jobs: ModuleType) -> None:
    """A carried context variable has its value in a child, and later jobs there see the default."""
    token = jobs.locale.set("de")
    handles = [runner.enqueue(jobs.greet.job(None)), runner.enqueue(jobs.agreet.job(None))]
    jobs.locale.reset(token)
    runner.start()
    assert [runner.result(handle, timeout=LONG) for handle in handles] == ["de", "de"]
    for later in (jobs.greet, jobs.agreet):
        assert runner.result(runner.enqueue(later.job(None)), timeout=LONG) == "en"


def test_log(runner: Runner, jobs: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """The log of a child is written by the worker, with its fields and its traceback."""
    record = ended(runner, jobs.log.job(None), State.COMPLETED)
    runner.stop()
    [first, second] = [log for log in caplog.records if log.name in ("tallystick.jobs", "app")]
    assert first.getMessage() == "from the child"
    assert first.__dict__["job_id"] == str(record.id)
    assert "ValueError: invalid literal" in (second.exc_text or "")


def test_progress(runner: Runner, jobs: ModuleType, tmp_path: Path) -> None:
    """The worker stores the progress that a child reports, while it runs and at its end."""
    runner.start()
    handle = runner.enqueue(jobs.report.job(str(tmp_path / "out")))
    running = eventually(lambda: runner.get(handle).progress)
    assert running is not None
    assert (running.fraction, running.message) == (0.4, "page 40 of 100")
    (tmp_path / "out").touch()
    runner.result(handle, timeout=LONG)
    ended = runner.get(handle).progress
    assert ended is not None
    assert (ended.fraction, ended.message) == (1.0, "done")


def test_complete(runner: Runner, jobs: ModuleType) -> None:
    """`ctx.complete` is rejected in a child."""
    error = ended(runner, jobs.complete.job(None)).last_error
    assert error is not None
    assert error.type.endswith("Unsupported")
    assert "runs in a child process" in error.message


def test_enqueue(runner: Runner, jobs: ModuleType) -> None:
    """A handler in a child enqueues jobs into the store of the worker."""
    id = json.loads(ended(runner, jobs.enqueue.job(None), State.COMPLETED).result or b"")
    assert runner.result(UUID(id), timeout=LONG) != os.getpid()


def test_without_a_runner_in_a_module(jobs: ModuleType) -> None:
    """A runner that no module has can run isolated handlers, except those with services."""
    with Runner("memory://", poll=SECOND / 50) as runner:
        runner.register(jobs.pid)
        assert ended(runner, jobs.pid.job(None), State.COMPLETED)
    with Runner("memory://") as runner:
        runner.register(jobs.use)
        runner.provide(jobs.Connection)(jobs.Connection)
        with pytest.raises(DefinitionError, match="global variable of a module"):
            runner.start()


def named(payload: int, ctx: Context) -> None:
    """Be a handler whose name does not lead to its job."""


def test_a_handler_that_cannot_be_imported() -> None:
    """A lambda, a closure and a bound method are rejected at the definition, and a hidden definition at the start."""

    class Service:
        def send(self, payload: int, ctx: Context) -> None:
            """Do nothing."""

    def closure(payload: int, ctx: Context) -> None:
        """Do nothing."""

    anonymous: Any = lambda payload, ctx: None  # noqa: E731
    cases: tuple[tuple[Any, str], ...] = (
        (closure, "inside a function"),
        (Service().send, "bound method"),
        (anonymous, "lambda"),
    )
    for handler, why in cases:
        with pytest.raises(DefinitionError, match=why):
            raw("no", isolation="process")(handler)

    class Local(Job[None]):
        kind = "local"
        isolation = "process"

        def work(self, ctx: Context) -> None:
            """Do nothing."""

    runner = Runner("memory://")
    with pytest.raises(DefinitionError, match="inside a function"):
        runner.register(Local)
    with runner:
        runner.job("named", isolation="process")(named)
        with pytest.raises(DefinitionError, match=re.escape("would not find it as named in the module")):
            runner.start()


def test_options() -> None:
    """Options that make no sense are rejected."""
    with pytest.raises(InvalidArgument, match="isolation is 'thread'"):
        Options(isolation="thread")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="memory_limit needs isolation"):
        Options(memory_limit=2**30)
    with pytest.raises(InvalidArgument, match="memory_limit is 1"):
        Options(isolation="process", memory_limit=1)
    with pytest.raises(DefinitionError, match="handles batches"):
        batch("many", isolation="process")(lambda payloads, contexts: None)


def test_redefinition(runner: Runner, jobs: ModuleType) -> None:
    """While a runner runs, an isolated job cannot be redefined, because its children have the old module."""
    runner.start()
    with pytest.raises(AlreadyStarted):
        runner.register(replace(jobs.pid))


SCRIPT = """
from datetime import UTC, datetime, timedelta
from tallystick import Context, Fixed, ByException, Never, Runner

runner = Runner("sqlite:///jobs.db", poll=timedelta(milliseconds=20))

class Mine(Exception):
    pass

policy = ByException({Mine: Fixed(timedelta(0))}, otherwise=Never())

@runner.job("double", isolation="process", retry=policy)
def double(number: int, ctx: Context) -> list[object]:
    if ctx.attempt == 1:
        raise Mine("once")
    return [__name__, 2 * number]
GUARD
    with runner:
        runner.start()
        print(runner.result(runner.enqueue(double.job(21)), timeout=timedelta(minutes=5)))
"""


def run(folder: Path, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a script."""
    (folder / "script.py").write_text(script)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG.total_seconds(),
    )


@pytest.mark.parametrize(("arguments", "name"), [(["script.py"], "__tallystick_main__"), (["-m", "script"], "script")])
def test_script(tmp_path: Path, arguments: list[str], name: str) -> None:
    """The jobs of a script run in children, which do not run the code under its guard."""
    done = run(tmp_path, SCRIPT.replace("GUARD", 'if __name__ == "__main__":'), *arguments)
    assert done.stdout.splitlines() == [f"['{name}', 42]"], done.stderr


def test_script_without_guard(tmp_path: Path) -> None:
    """A script that starts its runner in the child, too, fails the attempt with advice."""
    done = run(tmp_path, SCRIPT.replace("GUARD", "if True:"), "script.py")
    assert "move the code that starts it under" in done.stderr


def test_example(tmp_path: Path) -> None:
    """The example of the manual works."""
    page = (Path(__file__).parents[3] / "docs" / "workers.md").read_text()
    example = page.partition("## Isolation")[2].partition("```python\n")[2].partition("```")[0]
    done = run(tmp_path, example, "script.py")
    assert done.stdout == "640\n", done.stderr
