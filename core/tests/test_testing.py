"""`run_job`, misuse of the testing helpers, and the pytest plugin."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tallystick import (
    AlreadyStarted,
    CalledFromInside,
    Context,
    InvalidArgument,
    InvalidResult,
    Job,
    JobNotFound,
    Progress,
    Runner,
    Snooze,
    Unavailable,
    Unsupported,
    declare,
)
from tallystick.testing import JobTester, arun_job, inline, manual, run_job

from .helpers import LONG, NOW, MakeRunner


class Quote(Job[tuple[int, ...]]):
    """A job whose result is JSON, but not of the same type in Python."""

    kind = "quote"
    max_attempts = 5
    tags = ("sales",)
    at: datetime
    numbers: tuple[int, ...] = ()

    def work(self, ctx: Context) -> tuple[int, ...]:
        """Return the numbers."""
        assert isinstance(self.at, datetime)
        assert ctx.record.tags == ("sales",)
        return (*self.numbers, ctx.attempt)


def test_run_job_passes_payload_and_result_through_json() -> None:
    """The handler gets a decoded payload, and the caller a decoded result."""
    assert run_job(Quote(at=datetime.now(UTC), numbers=(1, 2)), attempt=4) == (1, 2, 4)


def test_run_job_raises_what_the_handler_raises(runner: Runner) -> None:
    """`Snooze` and an invalid result are raised as they are."""

    @runner.job("patient")
    def patient(payload: int, ctx: Context) -> int:
        if payload:
            raise Snooze(timedelta(hours=payload))
        return "text"  # type: ignore[return-value]  # a mistake

    with pytest.raises(Snooze):
        run_job(patient.job(1))
    with pytest.raises(InvalidResult):
        run_job(patient.job(0))


def test_run_job_runs_async_handlers(runner: Runner) -> None:
    """`run_job` runs an async handler on a loop of its own; in an async test, `arun_job` awaits it."""

    @runner.job("double")
    async def double(payload: int, ctx: Context) -> int:
        await asyncio.sleep(0)
        return 2 * payload

    @runner.job("half")
    def half(payload: int, ctx: Context) -> int:
        return payload // 2

    async def body() -> None:
        assert await arun_job(double.job(2)) == 4
        assert await arun_job(half.job(2)) == 1
        assert run_job(half.job(2)) == 1
        with pytest.raises(InvalidArgument, match="await arun_job"):
            run_job(double.job(2))

    assert run_job(double.job(21)) == 42
    asyncio.run(body())


def test_run_job_passes_progress_on(runner: Runner) -> None:
    """`on_progress` gets each report, and without it a wrong report is still rejected."""

    @runner.job("count")
    async def count(payload: int, ctx: Context) -> None:
        for n in range(payload):
            ctx.progress(n, str(n))

    seen: list[tuple[float | None, str]] = []
    run_job(count.job(2), on_progress=lambda fraction, message: seen.append((fraction, message)))
    assert seen == [(0.0, "0"), (1.0, "1")]
    run_job(count.job(2))
    with pytest.raises(InvalidArgument, match="fraction is 2"):
        run_job(count.job(3))


def test_drain_stores_progress(runner: Runner) -> None:
    """After `drain`, the record has the last report, at the time of the test's clock."""

    @runner.job("count")
    def count(payload: None, ctx: Context) -> None:
        ctx.progress(0.5)
        ctx.progress(1, "done")

    with manual(runner, start=NOW) as jobs:
        handle = runner.enqueue(count.job(None))
        jobs.drain()
        assert runner.get(handle).progress == Progress(1.0, "done", NOW)


def test_run_job_takes_a_job() -> None:
    """A class in place of a job is rejected."""
    with pytest.raises(InvalidArgument, match="must be an instance of a Job class"):
        run_job(Quote)  # type: ignore[arg-type]


def test_a_running_runner_is_rejected(make_runner: MakeRunner) -> None:
    """`manual` does not take the store away from a running worker."""
    runner = make_runner()
    runner.register(Quote)
    runner.start()
    with pytest.raises(AlreadyStarted, match="call stop"), manual(runner):
        pass


def test_a_runner_that_the_block_starts_is_stopped(runner: Runner) -> None:
    """A real worker works on the test's store, and stops with the block."""
    runner.register(Quote)
    with manual(runner) as jobs:
        runner.start()
        job = runner.enqueue(Quote(at=datetime.now(UTC)))
        assert runner.result(job, timeout=LONG) == (1,)
        assert jobs.enqueued(Quote)
    assert not runner.running


def test_the_application_may_close_its_runner(runner: Runner) -> None:
    """`with runner:` in the application, such as a lifespan, does not lose the test's jobs, and they may enqueue."""
    runner.register(Quote)

    @runner.job("again")
    def again(payload: int, ctx: Context) -> None:
        Runner.current().enqueue(Quote(at=datetime.now(UTC)))

    with manual(runner) as jobs:
        for _ in range(2):
            with runner:
                runner.enqueue(again.job(1))
        assert len(jobs.enqueued(again)) == 2
        assert jobs.drain().completed == 4


def test_a_handler_cannot_drain(runner: Runner) -> None:
    """A handler that drains its own runner gets an error, not a deadlock."""
    with manual(runner) as jobs:

        @runner.job("inner")
        def inner(payload: int, ctx: Context) -> None:
            jobs.drain()

        runner.enqueue(inner.job(1))
        with pytest.raises(CalledFromInside, match="drain"):
            jobs.drain()


def test_batch_handlers_get_batches_of_one(runner: Runner) -> None:
    """`drain` and `run_job` pass a list of one payload, and take its result or its exception."""

    @runner.batch("index")
    def index(payloads: list[int], contexts: list[Context]) -> list[int | Exception]:
        return [ValueError("odd") if payload % 2 else payload * 10 for payload in payloads]

    assert run_job(index.job(2)) == 20
    with pytest.raises(ValueError, match="odd"):
        run_job(index.job(1))
    with manual(runner) as jobs:
        handle = runner.enqueue(index.job(2))
        assert jobs.drain().completed == 1
        assert runner.result(handle) == 20
        runner.enqueue(index.job(1))
        assert jobs.drain(raises=False).retried == 1


class Mailer:
    """A service."""

    def __init__(self) -> None:
        self.sent: list[int] = []


@pytest.mark.parametrize("is_async", [False, True])
def test_handlers_get_their_services(runner: Runner, is_async: bool) -> None:
    """`drain` and `run_job` make the services that the runner provides; a later provider replaces the first."""
    mailer = Mailer()
    runner.provide(Mailer)(Mailer)
    runner.provide(Mailer)(lambda: mailer)

    @runner.job("sync")
    def send(payload: int, ctx: Context, mailer: Mailer) -> None:
        mailer.sent.append(payload)

    @runner.job("async")
    async def asend(payload: int, ctx: Context, mailer: Mailer) -> None:
        mailer.sent.append(payload)

    chosen = asend if is_async else send
    with manual(runner) as jobs:
        runner.enqueue(chosen.job(1))
        assert jobs.drain().completed == 1
        run_job(chosen.job(2))
    assert mailer.sent == [1, 2]


def test_a_producer_can_check_what_it_enqueues(runner: Runner) -> None:
    """A declared kind needs no handler, neither to enqueue nor to match its payload."""
    resize = declare("images:resize", payload=dict[str, int])
    with manual(runner) as jobs:
        runner.enqueue(resize.job({"width": 10}))
        jobs.assert_enqueued(resize, width=10)
        jobs.assert_enqueued(resize.job({"width": 10}))
        jobs.refute_enqueued(resize, width=11)


def test_misspelt_fields_are_rejected(runner: Runner) -> None:
    """A field that the class does not have is an error: `refute_enqueued` would always pass."""
    runner.register(Quote)
    with manual(runner) as jobs:
        with pytest.raises(
            InvalidArgument, match=r"Quote has no field 'att'; did you mean 'at'\? its fields are: at, numbers"
        ):
            jobs.refute_enqueued(Quote, att=1)
        with pytest.raises(InvalidArgument, match="pass its class"):
            jobs.refute_enqueued(Quote(at=datetime.now(UTC)), numbers=())
        with pytest.raises(InvalidArgument, match="is not a job"):
            jobs.refute_enqueued(7)  # type: ignore[arg-type]


def test_the_clock_moves_forward_only(runner: Runner) -> None:
    """A move without a length is rejected."""
    runner.register(Quote)
    with manual(runner) as jobs, pytest.raises(InvalidArgument, match=r"e\.g\. advance\(hours=1\)"):
        jobs.advance(hours=-1)


def test_the_clock_runs_along(runner: Runner) -> None:
    """Without a start, the clock shows the real time plus the moves, so a job for datetime.now() is due."""
    runner.register(Quote)
    with manual(runner) as jobs:
        jobs.advance(hours=1)
        assert jobs.clock.ahead == timedelta(hours=1)  # however long the call took
        runner.enqueue_at(datetime.now(UTC) + timedelta(hours=1), Quote(at=datetime.now(UTC)))
        assert jobs.drain().completed == 1


def test_a_transaction_defers_inline_jobs(runner: Runner, tmp_path: Path) -> None:
    """A job in an open transaction does not run until the commit and a `drain`."""
    runner.register(Quote)
    with inline(runner, url=f"sqlite:///{tmp_path}/jobs.db") as jobs:
        with jobs.backend.transaction() as transaction:
            job = runner.enqueue(Quote(at=datetime.now(UTC)), transaction=transaction)
        assert jobs.drain().completed == 1
        assert runner.result(job) == (1,)
        with pytest.raises(JobNotFound):
            runner.get(UUID(int=1))


APPLICATION = """
from tallystick import Context, Runner

runner = Runner("postgresql://nowhere.invalid/db")

@runner.job("greet")
def greet(name: str, ctx: Context) -> str:
    return f"Hello, {name}!"
"""

TESTS = """
from app import greet, runner

def test_manual(manual_jobs):
    job = runner.enqueue(greet.job("Ada"))
    manual_jobs.assert_enqueued(greet.job("Ada"))
    assert manual_jobs.drain().completed == 1
    assert runner.result(job) == "Hello, Ada!"

def test_inline(inline_jobs, tallystick_store):
    assert tallystick_store == "URL"
    assert inline_jobs.enqueued(greet) == []
    assert runner.result(runner.enqueue(greet.job("Bob"))) == "Hello, Bob!"
"""


def test_the_pytest_plugin(tmp_path: Path) -> None:
    """The fixtures find the runner by the pytest settings, and create stores at the URL of an option."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "test_app.py").write_text(TESTS.replace("URL", url))
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\ntallystick_runner = app:runner\n")
    done = _pytest(tmp_path, "--tallystick-store", url)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_pytest_plugin_without_a_runner(tmp_path: Path) -> None:
    """The error says how to name the runner."""
    (tmp_path / "test_app.py").write_text("def test_it(manual_jobs): pass\n")
    done = _pytest(tmp_path)
    assert done.returncode == 1
    assert "no runner is set; write tallystick_runner" in done.stdout


def _pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    unused = [f"-pno:{name}" for name in ("randomly", "xdist", "hypothesispytest", "tallystick_conformance")]
    command = [sys.executable, "-m", "pytest", "-q", *unused, f"--rootdir={folder}", *options, str(folder)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LONG.total_seconds(), check=False
    )


def roll_back(runner: Runner, jobs: JobTester, job: Quote) -> None:
    """Enqueue a job in a transaction that rolls back."""
    with jobs.transaction() as transaction:
        runner.enqueue(job, transaction=transaction)
        raise LookupError


def test_a_transaction_commits_or_rolls_back(runner: Runner) -> None:
    """On memory, jobs of a transaction exist after its block, and never if the block raises."""
    runner.register(Quote)
    later, never = Quote(at=datetime.now(UTC), numbers=(1,)), Quote(at=datetime.now(UTC), numbers=(2,))
    with manual(runner) as jobs:
        with jobs.transaction() as transaction:
            handle = runner.enqueue(later, transaction=transaction, unique_key="one")
            again = runner.enqueue(never, transaction=transaction, unique_key="one")
            assert (handle.duplicate, again.duplicate, again.id) == (False, True, handle.id)
            jobs.refute_enqueued(Quote)
        with pytest.raises(LookupError):
            roll_back(runner, jobs, never)
        [record] = jobs.enqueued(Quote)
        assert (record.id, runner.enqueue(never, unique_key="one").duplicate) == (handle.id, True)
        assert jobs.drain().completed == 1


def test_a_transaction_conflicts(runner: Runner) -> None:
    """If another call takes a unique key before the commit, the commit raises `Unavailable` as a database does."""
    runner.register(Quote)
    job = Quote(at=datetime.now(UTC))

    def conflict() -> None:
        with jobs.transaction() as transaction:
            runner.enqueue(job, transaction=transaction, unique_key="one")
            runner.enqueue(job, unique_key="one")

    with manual(runner) as jobs:
        with pytest.raises(Unavailable, match="begin the transaction again"):
            conflict()
        assert len(jobs.enqueued(Quote)) == 1


def test_a_job_completes_in_a_transaction(runner: Runner) -> None:
    """`ctx.complete` with a transaction of the test records the result at its commit, and nothing if it rolls back."""

    @runner.job("completes", max_attempts=2)
    def completes(payload: int, ctx: Context) -> int:
        with jobs.transaction() as transaction:
            ctx.complete(7, transaction=transaction)
            if ctx.attempt < payload:
                raise LookupError
        return 7

    with manual(runner) as jobs:
        job = runner.enqueue(completes.job(2))
        assert jobs.drain(raises=False).retried == 1
        jobs.advance(hours=1)
        assert jobs.drain().completed == 1
        assert runner.result(job) == 7


def test_a_transaction_of_inline_runs_its_jobs_at_the_commit(runner: Runner) -> None:
    """Inside the block no job runs; when it ends, they all have."""
    runner.register(Quote)
    with inline(runner) as jobs:
        with jobs.transaction() as transaction:
            job = runner.enqueue(Quote(at=datetime.now(UTC)), transaction=transaction)
        assert runner.result(job) == (1,)


def test_a_transaction_that_is_not_of_the_test_is_rejected(runner: Runner) -> None:
    """The error says which transactions the store of a test takes. One that has ended is rejected, too."""
    runner.register(Quote)
    job = Quote(at=datetime.now(UTC))
    with manual(runner) as jobs:
        with pytest.raises(Unsupported, match=r"type object.*jobs\.transaction"):
            runner.enqueue(job, transaction=object())
        with jobs.transaction() as transaction:
            pass
        with pytest.raises(InvalidArgument, match="has ended"):
            runner.enqueue(job, transaction=transaction)
        jobs.refute_enqueued(Quote)


def test_a_transaction_of_a_store_that_has_them(runner: Runner, tmp_path: Path) -> None:
    """On SQLite, the transaction is one of the store."""
    runner.register(Quote)
    with manual(runner, url=f"sqlite:///{tmp_path}/jobs.db") as jobs:
        with jobs.transaction() as transaction:
            runner.enqueue(Quote(at=datetime.now(UTC)), transaction=transaction)
        with pytest.raises(LookupError):
            roll_back(runner, jobs, Quote(at=datetime.now(UTC)))
        assert len(jobs.enqueued(Quote)) == 1
