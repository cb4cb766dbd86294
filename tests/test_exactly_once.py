"""Completing a job in its handler's transaction applies its effects exactly once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from homes import Home
from support import PATIENCE, Spawn, eventually
from tallystick import (
    Backend,
    ClaimLost,
    Context,
    Fixed,
    Handle,
    InvalidArgument,
    InvalidResult,
    Outcome,
    Record,
    Runner,
    State,
    Unavailable,
    Unsupported,
    open_backend,
)
from tallystick.hooks.plugins import installed

SOON = timedelta(seconds=PATIENCE)
AT_ONCE = Fixed(timedelta(0))

Body = Callable[[Home, Context], Any]


@pytest.fixture(params=["sqlite", "postgres", "mongo"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """Yield a store with a table of the application, on each backend that has transactions."""
    if request.config.getoption("--backend") not in (None, request.param):
        pytest.skip("another backend was chosen")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.db"
    else:
        server: str = request.getfixturevalue({"postgres": "postgres_url", "mongo": "replica_set_url"}[request.param])
        url = installed().backend(server).namespaced(server, f"test_{uuid4().hex[:12]}")
    with open_backend(url) as backend:
        if not backend.capabilities.transactions:
            pytest.skip("the configured server has no transactions")
        backend.setup()
        home = Home.of(url)
        home.build()
        yield home
        home.clear()
        backend.teardown()


class Work:
    """A runner with one job, whose handler is given by the test, and the outcomes that it recorded."""

    def __init__(self, home: Home, body: Body, backend: Backend | None = None, **settings: Any) -> None:
        self.home = home
        self.settled: list[Outcome] = []
        self.runner = Runner(backend or home.url, poll=timedelta(milliseconds=20), **settings)

        @self.runner.job("effect", retry=AT_ONCE, max_attempts=3)
        def effect(number: int, ctx: Context) -> str:
            result: str = body(home, ctx)
            return result

        self.runner.on_completed(self._record)
        self.runner.on_discarded(self._record)

    def _record(self, record: Record, outcome: Outcome) -> None:
        self.settled.append(outcome)

    def run(self) -> Record:
        """Work one job to its end, stop, and return its record."""
        with self.runner:
            job: Handle[str] = self.runner.enqueue(self.runner.definitions["effect"].job(1))
            self.runner.start()
            eventually(lambda: bool(self.settled))
            self.snapshot = self.runner.snapshot()
            self.runner.stop()
            return self.runner.get(job)


def test_effect_and_end_commit_together(home: Home) -> None:
    """The handler's commit completes the job; the worker counts and reports it once."""

    def body(home: Home, ctx: Context) -> str:
        with home.transaction() as transaction:
            home.record_effect(transaction, 1)
            return ctx.complete("done", transaction=transaction)

    work = Work(home, body)
    record = work.run()
    assert (record.state, record.result, record.attempt) == (State.COMPLETED, b'"done"', 1)
    assert home.effects() == [1]
    assert [outcome.claim for outcome in work.settled] == [record.claim]
    assert (work.snapshot.completed, work.snapshot.lost) == (1, 0)


def _returns_none(home: Home, ctx: Context) -> Any:
    return None


def _returns_another(home: Home, ctx: Context) -> str:
    return "another"


def _raises(home: Home, ctx: Context) -> str:
    raise ValueError("after the commit")


@pytest.mark.parametrize(
    ("ending", "warns"),
    [(_returns_none, False), (_returns_another, True), (_raises, True)],
    ids=["none", "other", "raise"],
)
def test_the_committed_result_counts(home: Home, ending: Body, warns: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The committed result counts, even if the handler then returns another or raises; the log warns about it."""

    def body(home: Home, ctx: Context) -> Any:
        with home.transaction() as transaction:
            home.record_effect(transaction, 1)
            ctx.complete("done", transaction=transaction)
        return ending(home, ctx)

    work = Work(home, body)
    record = work.run()
    assert (record.state, record.result, record.attempt) == (State.COMPLETED, b'"done"', 1)
    assert home.effects() == [1]
    assert [type(outcome).__name__ for outcome in work.settled] == ["Complete"]
    warnings = [entry for entry in caplog.records if "a later outcome is ignored" in entry.message]
    assert bool(warnings) is warns


class _RolledBack(Exception):
    pass


def _roll_back() -> None:
    raise _RolledBack


def test_after_a_rollback_the_attempt_ends_as_its_handler_does(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """After a rollback, an attempt that raises is retried, and one that returns is completed with its return value."""

    def body(home: Home, ctx: Context) -> str:
        try:
            with home.transaction() as transaction:
                home.record_effect(transaction, ctx.attempt)
                ctx.complete("never", transaction=transaction)
                _roll_back()
        except _RolledBack:
            if ctx.attempt == 1:
                raise
        return "by return"

    record = Work(home, body).run()
    assert (record.state, record.result, record.attempt) == (State.COMPLETED, b'"by return"', 2)
    assert record.last_error is not None
    assert record.last_error.type.endswith("_RolledBack")
    assert home.effects() == []
    assert "has not committed" in caplog.text


def test_complete_works_again_only_after_a_rollback(home: Home) -> None:
    """After a rollback, `complete` works again; a second call in a transaction or after its commit raises ClaimLost."""

    def body(home: Home, ctx: Context) -> str:
        with suppress(_RolledBack), home.transaction() as transaction:
            ctx.complete("first", transaction=transaction)
            with pytest.raises(ClaimLost, match="was completed"):
                ctx.complete("again", transaction=transaction)
            _roll_back()
        with home.transaction() as transaction:
            home.record_effect(transaction, 1)
            ctx.complete("second", transaction=transaction)
        try:
            with home.transaction() as transaction:
                home.record_effect(transaction, 2)
                ctx.complete("third", transaction=transaction)
        except ClaimLost:
            return "second"
        raise AssertionError("it was completed twice")

    record = Work(home, body).run()
    assert (record.result, record.attempt, record.last_error) == (b'"second"', 1, None)
    assert home.effects() == [1]


def test_a_lost_claim_completes_nothing(home: Home) -> None:
    """The slow owner of a rescued job rolls back; only the next attempt has an effect."""

    def body(home: Home, ctx: Context) -> str:
        if ctx.attempt == 1:
            with open_backend(home.url) as other:
                assert other.rescue(limit=9, now=datetime.now(UTC) + timedelta(days=1))
        with home.transaction() as transaction:
            home.record_effect(transaction, ctx.attempt)
            return ctx.complete("done", transaction=transaction)

    work = Work(home, body)
    with work.runner:
        job = work.runner.enqueue(work.runner.definitions["effect"].job(1))
        work.runner.start()
        eventually(lambda: work.runner.snapshot().lost == 1)
        assert home.effects() == []
        work.runner.requeue(job)  # the rescue made it due in a day
        assert work.runner.result(job, timeout=SOON) == "done"
    assert home.effects() == [2]
    assert len(work.settled) == 1


def test_invalid_calls_raise_and_the_attempt_continues(home: Home) -> None:
    """A result of another type and an invalid transaction raise without any effect, and the attempt continues."""

    def body(home: Home, ctx: Context) -> str:
        wrong: Any = 7
        with home.transaction() as transaction:
            with pytest.raises(InvalidResult):
                ctx.complete(wrong, transaction=transaction)
            with pytest.raises(InvalidArgument, match="transaction is of type"):
                ctx.complete("done", transaction=object())
        return "by return"

    record = Work(home, body).run()
    assert (record.result, record.attempt) == (b'"by return"', 1)


def test_the_store_fails_just_after_the_commit(home: Home) -> None:
    """If the store fails after the commit, the worker checks again until it succeeds, and counts the job once."""

    def body(home: Home, ctx: Context) -> str:
        with home.transaction() as transaction:
            home.record_effect(transaction, 1)
            ctx.complete("done", transaction=transaction)
        failing.append(Unavailable("down"))
        failing.append(Unavailable("still down"))
        return "done"

    failing: list[Unavailable] = []
    with open_backend(home.url) as backend:
        get = backend.get

        def flaky(ids: Sequence[UUID]) -> Any:
            if failing:
                raise failing.pop()
            return get(ids)

        backend.get = flaky  # type: ignore[method-assign]
        work = Work(home, body, backend)
        record = work.run()
    assert (record.state, home.effects(), len(work.settled), failing) == (State.COMPLETED, [1], 1, [])


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_an_open_transaction_is_tried_once(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """The worker tries once to settle a job whose transaction is left open; a later commit still completes the job."""
    home.url += "?busy_timeout=0"
    opened: list[Any] = []

    def body(home: Home, ctx: Context) -> str:
        context = home.transaction()
        transaction = context.__enter__()
        opened.append((context, transaction))
        return ctx.complete("done", transaction=transaction)

    work = Work(home, body, lease=timedelta(minutes=5))
    with work.runner:
        job = work.runner.enqueue(work.runner.definitions["effect"].job(1))
        work.runner.start()
        eventually(lambda: "could not settle 1 outcomes; their leases will expire" in caplog.text)
        [(context, _)] = opened
        context.__exit__(None, None, None)
        assert work.runner.result(job, timeout=SOON) == "done"


@pytest.mark.parametrize("home", ["postgres"], indirect=True)  # the tests' MongoDB server has one writer at a time
def test_an_open_transaction_delays_no_other_lease(home: Home) -> None:
    """While a handler keeps its transaction open after `complete`, the leases of other jobs are extended."""
    completed, proceed = Event(), Event()
    runner = Runner(home.url, poll=timedelta(milliseconds=20), lease=timedelta(seconds=1))

    @runner.job("opens")
    def opens(number: int, ctx: Context) -> str:
        with home.transaction() as transaction:
            ctx.complete("done", transaction=transaction)
            completed.set()
            assert proceed.wait(SOON.total_seconds())
        return "done"

    @runner.job("other")
    def other(number: int, ctx: Context) -> int:
        assert proceed.wait(SOON.total_seconds())
        return ctx.attempt

    with runner:
        first, second = runner.enqueue(opens.job(1)), runner.enqueue(other.job(1))
        runner.start()
        assert completed.wait(SOON.total_seconds())
        begun = runner.get(second).lease_until
        assert begun is not None
        eventually(lambda: (runner.get(second).lease_until or begun) > begun + timedelta(seconds=3))
        proceed.set()
        assert runner.result(second, timeout=SOON) == 1
        assert runner.result(first, timeout=SOON) == "done"
        assert runner.get(first).attempt == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_worker_is_killed(home: Home, spawn: Spawn, moment: str) -> None:
    """If the worker is killed after the commit, the job is completed; before it, another worker works the job."""
    with open_backend(home.url) as backend:
        victim = spawn("complete.py", home.url, moment)
        with Runner(home.url, poll=timedelta(milliseconds=50), maintenance=timedelta(seconds=0.1)) as runner:

            @runner.job("effect")
            def effect(number: int, ctx: Context) -> str:
                with home.transaction() as transaction:
                    home.record_effect(transaction, number)
                    return ctx.complete("by the next", transaction=transaction)

            job = runner.enqueue(effect.job(1))
            assert victim.stdout is not None
            assert victim.stdout.readline() == "hangs\n"
            victim.kill()
            victim.wait()
            runner.start()
            expected = "by the killed one" if moment == "after" else "by the next"
            assert runner.result(job, timeout=SOON) == expected
            assert runner.get(job).attempt == (1 if moment == "after" else 2)
            assert backend.rescue(limit=9, now=datetime.now(UTC) + timedelta(days=1)) == []
    assert home.effects() == [1]


def test_complete_needs_a_worker_and_transactions(home: Home) -> None:
    """`complete` raises in a context without a worker, and on a store without transactions."""

    def body(home: Home, ctx: Context) -> str:
        with pytest.raises(InvalidArgument, match="no worker made"):
            Context(ctx.record).complete("done", transaction=object())
        with pytest.raises(Unsupported, match="does not support transactions"):
            ctx.complete("done", transaction=object())
        return "done"

    assert Work(home, body, open_backend("memory://")).run().result == b'"done"'
