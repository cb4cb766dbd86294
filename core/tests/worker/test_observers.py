"""Observers: the hooks of a pluggy plugin."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, get_ident
from typing import Any

import pytest
from tallystick import (
    LEASE_EXPIRED,
    Cancel,
    Claim,
    Complete,
    Context,
    Discard,
    Inserted,
    NewRecord,
    Outcome,
    Record,
    Release,
    Retry,
    Runner,
    Unsupported,
    hookimpl,
)
from tallystick.hooks import plugins

from ..helpers import AT_ONCE, LONG, SHORT_LEASE, MakeRunner, eventually


class Observer:
    """A plugin that records its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.begun_in: list[int] = []
        self.ended_in: list[int] = []

    def of(self, hook: str) -> list[Any]:
        """Return the arguments of a hook's calls."""
        return [arguments for name, arguments in self.calls if name == hook]

    @hookimpl
    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Record it."""
        self.calls += [("enqueued", (item.record.kind, item.created)) for item in inserted]

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Record it."""
        self.calls += [("claimed", record.claim) for record in records]

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Record it, and the thread."""
        self.calls.append(("begun", ctx.record.claim))
        self.begun_in.append(get_ident())

        def end() -> None:
            self.calls.append(("ended", ctx.record.claim))
            self.ended_in.append(get_ident())

        return end

    @hookimpl
    def tallystick_settled(self, outcomes: Sequence[Outcome], records: Sequence[Record]) -> None:
        """Record it."""
        assert [outcome.claim for outcome in outcomes] == [record.claim for record in records]
        self.calls += [("settled", outcome) for outcome in outcomes]

    @hookimpl
    def tallystick_lost(self, claims: Sequence[Claim]) -> None:
        """Record it."""
        self.calls += [("lost", claim) for claim in claims]


class Broken:
    """A plugin whose hooks all raise."""

    @hookimpl
    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Raise."""
        raise RuntimeError("enqueued")

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Raise."""
        raise RuntimeError("claimed")

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Raise."""
        raise RuntimeError("work")

    @hookimpl
    def tallystick_settled(self, outcomes: Sequence[Outcome], records: Sequence[Record]) -> None:
        """Raise."""
        raise RuntimeError("settled")


@pytest.fixture
def watch() -> Iterator[Callable[[Any], Any]]:
    """Return a function that registers a plugin until the end of the test."""
    hooks = plugins.installed().hooks
    registered: list[object] = []

    def watch(plugin: Any) -> Any:
        hooks.register(plugin)
        registered.append(plugin)
        return plugin

    yield watch
    for plugin in registered:
        hooks.unregister(plugin)


Watch = Callable[[Any], Any]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_life(make_runner: MakeRunner, watch: Watch, asynchronous: bool) -> None:
    """Observers see a job's life in order: enqueued, claimed, begun and ended in one thread, settled."""
    observer: Observer = watch(Observer())
    runner = make_runner()
    worked_in: list[int] = []

    def sync(payload: None, ctx: Context) -> None:
        worked_in.append(get_ident())

    async def coroutine(payload: None, ctx: Context) -> None:
        worked_in.append(get_ident())

    work = runner.job("work")(coroutine if asynchronous else sync)
    handle = runner.enqueue(work.job(None))
    runner.start()
    eventually(lambda: observer.of("settled"))
    claim = Claim(handle.id, 1)
    assert observer.calls == [
        ("enqueued", ("work", True)),
        ("claimed", claim),
        ("begun", claim),
        ("ended", claim),
        ("settled", Complete(claim)),
    ]
    assert observer.begun_in == worked_in == observer.ended_in


def test_calls(runner: Runner) -> None:
    """Each insert, claim and settle is observed with its queues, before and after it, with its exception."""
    seen: list[tuple[str, tuple[str, ...], str]] = []

    class Calls:
        @hookimpl
        def tallystick_call(self, name: str, queues: Sequence[str]) -> Callable[[], None]:
            return lambda: seen.append((name, tuple(queues), type(sys.exception()).__name__))

    @runner.job("note", queue="mail")
    def note(payload: None, ctx: Context) -> None: ...

    runner.add_hooks(Calls())
    jobs = runner.enqueue_batch([note.job(None), note.job(None)])
    with pytest.raises(Unsupported):
        runner.enqueue(note.job(None), transaction=object())
    runner.start()
    runner.wait_for_all(jobs, timeout=LONG)
    runner.stop()
    assert seen[:2] == [("insert", ("mail", "mail"), "NoneType"), ("insert", ("mail",), "Unsupported")]
    assert ("claim", ("mail",), "NoneType") in seen
    assert sum(len(queues) for name, queues, _ in seen if name == "settle") == 2


def test_duplicate(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers can see that an enqueue was a duplicate."""
    observer: Observer = watch(Observer())
    runner = make_runner()

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    for _ in range(2):
        runner.enqueue(work.job(None), unique_key="one")
    assert observer.of("enqueued") == [("work", True), ("work", False)]


def test_outcomes(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers receive each attempt's outcome, and the end of its work, even if it failed."""
    observer: Observer = watch(Observer())
    runner = make_runner()

    @runner.job("fail", max_attempts=2, retry=lambda attempt, exc, draw: AT_ONCE)
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: len(observer.of("settled")) == 2)
    assert [type(outcome) for outcome in observer.of("settled")] == [Retry, Discard]
    assert len(observer.of("begun")) == len(observer.of("ended")) == 2


def test_lost(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers receive a lost claim, and not its outcome."""
    observer: Observer = watch(Observer())
    runner = make_runner()
    begun, release = Event(), Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        begun.set()
        release.wait()

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.backend.pause("default")
    runner.backend.rescue(limit=1, now=datetime.now(UTC) + timedelta(days=1))
    release.set()
    eventually(lambda: observer.of("lost"))
    assert observer.of("lost") == [Claim(handle.id, 1)]
    assert not [outcome for outcome in observer.of("settled") if not isinstance(outcome, Release)]


def test_lost_while_it_works(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers receive a lost claim once, while its handler still works."""
    observer: Observer = watch(Observer())
    runner = make_runner(lease=SHORT_LEASE)
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    handle = runner.enqueue(block.job(None))
    runner.start()
    eventually(lambda: runner.snapshot().working == 1)
    runner.backend.pause("default")
    runner.backend.rescue(limit=1, now=datetime.now(UTC) + timedelta(days=1))
    eventually(lambda: observer.of("lost"))
    release.set()
    eventually(lambda: runner.snapshot().working == runner.snapshot().unsettled == 0)
    assert observer.of("lost") == [Claim(handle.id, 1)]
    assert runner.snapshot().lost == 1


def test_end_by_rescue(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers receive jobs that a rescue discarded or cancelled, like those that end in a handler."""
    observer: Observer = watch(Observer())
    runner = make_runner(queues=["default"])
    then = datetime(2001, 1, 1, tzinfo=UTC)
    runner.backend.insert([NewRecord(kind="deadly", max_attempts=1), NewRecord(kind="slow")], now=then)
    deadly, slow = runner.backend.claim(["default"], limit=2, worker="dead", lease=timedelta(seconds=1), now=then)
    runner.cancel(slow.id)
    runner.start()
    eventually(lambda: len(observer.of("settled")) == 2)
    assert set(observer.of("settled")) == {Discard(deadly.claim, LEASE_EXPIRED), Cancel(slow.claim)}


def test_observer_that_raises(make_runner: MakeRunner, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of an observer is logged, and does not affect the job."""
    watch(Broken())
    runner = make_runner()

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    handle = runner.enqueue(echo.job(7))
    runner.start()
    assert runner.result(handle, timeout=LONG) == 7
    eventually(
        lambda: all(f"RuntimeError: {hook}" in caplog.text for hook in ("enqueued", "claimed", "work", "settled"))
    )


class Exits:
    """A plugin that raises SystemExit."""

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Raise."""
        raise SystemExit("claimed")


def test_observer_of_claims_that_exits(make_runner: MakeRunner, watch: Watch) -> None:
    """An observer of claims that raises SystemExit loses no job, and does not stop the worker from claiming."""
    watch(Exits())
    runner = make_runner()

    @runner.job("attempt")
    def attempt(payload: int, ctx: Context) -> int:
        return ctx.attempt

    runner.start()
    for number in range(2):
        assert runner.result(runner.enqueue(attempt.job(number)), timeout=LONG) == 1


class Exceptions:
    """A plugin that records exceptions and takes no other argument."""

    def __init__(self) -> None:
        self.seen: list[type] = []

    @hookimpl
    def tallystick_settled(self, exceptions: Sequence[BaseException | None]) -> None:
        """Record them."""
        self.seen += map(type, exceptions)


def test_exceptions(make_runner: MakeRunner, watch: Watch) -> None:
    """Observers of outcomes receive the exception of each retry and discard, and None for a completion."""
    observer: Exceptions = watch(Exceptions())
    runner = make_runner(concurrency=1)

    @runner.job("work", max_attempts=3, retry=lambda attempt, exc, draw: AT_ONCE)
    def work(payload: bool, ctx: Context) -> None:
        if payload:
            raise ConnectionError if ctx.attempt == 1 else LookupError

    runner.enqueue(work.job(True))
    runner.start()
    eventually(lambda: len(observer.seen) == 3)
    runner.enqueue(work.job(False))
    eventually(lambda: len(observer.seen) == 4)
    assert observer.seen == [ConnectionError, LookupError, LookupError, type(None)]
