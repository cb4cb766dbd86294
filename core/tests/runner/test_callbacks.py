"""Callbacks for each event of a job, for one kind or for all, and hooks of one runner."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from tallystick import (
    LEASE_EXPIRED,
    Backend,
    Cancel,
    Complete,
    Context,
    Definition,
    Discard,
    DiscardJob,
    Fixed,
    Inserted,
    InvalidArgument,
    Job,
    NewRecord,
    Outcome,
    Record,
    Retry,
    Runner,
    Snooze,
    State,
    Status,
    hookimpl,
)

from ..helpers import AT_ONCE, LONG, SHORT_LEASE, MakeRunner, eventually

Event = tuple[str, str, type[BaseException] | None]


class Watcher:
    """Callbacks for all events of a runner, which record the event, the payload and the exception."""

    def __init__(self, runner: Runner) -> None:
        self.events: list[Event] = []
        self.records: list[tuple[Record, Outcome]] = []
        runner.on_enqueued(lambda record: self.events.append(("enqueued", payload(record), None)))
        runner.on_started(lambda ctx: self.events.append(("started", payload(ctx.record), None)))
        for name in ("retried", "completed", "discarded", "cancelled"):
            getattr(runner, f"on_{name}")(self._recorder(name))

    def _recorder(self, name: str) -> Callable[..., object]:
        def record_call(record: Record, outcome: Outcome, exception: BaseException | None) -> None:
            self.events.append((name, payload(record), type(exception) if exception else None))
            self.records.append((record, outcome))

        return record_call

    def of(self, name: str) -> list[str]:
        """Return the events of one job, in order."""
        return [event for event, job, _ in self.events if job == name]


def payload(record: Record) -> str:
    """Return the text in a payload."""
    return record.payload.decode().strip('"')


def behaving(runner: Runner, **options: Any) -> Definition[str, None]:
    """Register a job that does as its payload says."""

    @runner.job("behave", **{"retry": Fixed(AT_ONCE), "max_attempts": 2, **options})
    def behave(name: str, ctx: Context) -> None:
        match name:
            case "fail":
                raise ConnectionError(name)
            case "recover" if ctx.attempt == 1:
                raise LookupError(name)
            case "discard":
                raise DiscardJob(name)
            case "snooze" if ctx.attempt == 1:
                raise Snooze(AT_ONCE)

    return behave


def test_all_events(runner: Runner) -> None:
    """Each event of a job calls its callbacks, with the exception; a snooze is only another start.

    An outcome is reported after it is recorded, so the next attempt may start first.
    """
    watcher = Watcher(runner)
    behave = behaving(runner)
    names = ["work", "fail", "recover", "discard", "snooze"]
    handles = [runner.enqueue(behave.job(name)) for name in names]
    runner.start()
    runner.wait_for_all(handles)
    runner.stop()
    assert {name: sorted(watcher.of(name)) for name in names} == {
        "work": ["completed", "enqueued", "started"],
        "fail": ["discarded", "enqueued", "retried", "started", "started"],
        "recover": ["completed", "enqueued", "retried", "started", "started"],
        "discard": ["discarded", "enqueued", "started"],
        "snooze": ["completed", "enqueued", "started", "started"],
    }
    exceptions = {(event, name): exception for event, name, exception in watcher.events if exception}
    assert exceptions == {
        ("retried", "fail"): ConnectionError,
        ("discarded", "fail"): ConnectionError,
        ("retried", "recover"): LookupError,
        ("discarded", "discard"): DiscardJob,
    }


def test_snapshot_agrees(runner: Runner) -> None:
    """The numbers of a snapshot are those of the callbacks, also for jobs that a rescue ended."""
    watcher = Watcher(runner)
    behave = behaving(runner)
    then = datetime(2001, 1, 1, tzinfo=UTC)
    names = [("dies", 1), ("comes back", 5), ("cancelled", 5)]
    new = [NewRecord(kind="behave", payload=f'"{name}"'.encode(), max_attempts=most) for name, most in names]
    runner.backend.insert(new, now=then)
    dead = runner.backend.claim(["default"], limit=3, worker="dead", lease=timedelta(seconds=1), now=then)
    runner.cancel(next(record.id for record in dead if payload(record) == "cancelled"))
    handles = [runner.enqueue(behave.job(name)) for name in ("work", "fail", "recover", "discard")]
    runner.start()
    runner.wait_for_all([*handles, *(record.id for record in dead)])
    eventually(lambda: len(watcher.records) == 10)
    numbers = runner.snapshot()
    runner.stop()
    counts = Counter(event for event, _, _ in watcher.events)
    assert (counts["completed"], counts["retried"], counts["discarded"], counts["cancelled"]) == (3, 3, 3, 1)
    assert (numbers.completed, numbers.retried, numbers.discarded, numbers.cancelled) == (3, 3, 3, 1)
    outcomes = {payload(record): outcome for record, outcome in watcher.records if record.attempt == 1}
    assert outcomes["dies"] == Discard(outcomes["dies"].claim, LEASE_EXPIRED)
    assert isinstance(outcomes["comes back"], Retry)
    assert outcomes["comes back"].error == LEASE_EXPIRED
    assert isinstance(outcomes["cancelled"], Cancel)


def test_cancel_of_waiting_jobs(runner: Runner) -> None:
    """A waiting job that this runner cancels is reported once, with its record."""
    watcher = Watcher(runner)
    behave = behaving(runner)
    handles = [runner.enqueue(behave.job(name), run_at=LONG) for name in ("one", "two")]
    assert runner.cancel(handles[0]) == 1
    assert runner.cancel(handles[0]) == 0
    assert [(event, name) for event, name, _ in watcher.events if event != "enqueued"] == [("cancelled", "one")]
    [(record, outcome)] = watcher.records
    assert (record, outcome) == (runner.get(handles[0]), Cancel(record.claim))


@pytest.mark.parametrize("fails", [False, True], ids=["stops", "fails"])
def test_cancel_of_a_running_job(make_runner: MakeRunner, fails: bool) -> None:
    """A running job whose cancellation is requested is reported once, as cancelled, even if its handler fails."""
    runner = make_runner(lease=LONG if fails else SHORT_LEASE)
    watcher = Watcher(runner)
    started, cancelled = threading.Event(), threading.Event()

    @runner.job("patient")
    def patient(name: str, ctx: Context) -> None:
        started.set()
        cancelled.wait(LONG.total_seconds())
        if fails:
            raise ConnectionError("no")
        eventually(lambda: ctx.should_stop)
        ctx.check()

    handle = runner.enqueue(patient.job("job"))
    runner.start()
    started.wait(LONG.total_seconds())
    runner.cancel(handle)
    cancelled.set()
    assert runner.wait_for(handle).status is Status.CANCELLED
    eventually(lambda: watcher.records)
    runner.stop()
    assert watcher.of("job") == ["enqueued", "started", "cancelled"]
    assert runner.get(handle).cancel_requested
    [(_, outcome)] = watcher.records
    assert isinstance(outcome, Cancel)


class Greet(Job[None]):
    """A job written as a class."""

    kind = "greet"
    aliases = ("hello",)

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def test_one_kind(runner: Runner) -> None:
    """A callback for a kind is called for its jobs only: by name, definition or class, and for former kinds."""
    seen: list[tuple[str, str]] = []
    runner.register(Greet)
    behave = behaving(runner, aliases=("act",))

    @runner.on_completed(kind=behave)
    def of_definition(record: Record, outcome: Outcome) -> None:
        seen.append(("definition", record.kind))

    runner.on_completed(kind=Greet)(lambda record, outcome: seen.append(("class", record.kind)))
    runner.on_completed(kind="greet")(lambda record, outcome: seen.append(("name", record.kind)))
    runner.on_enqueued(kind="greet")(lambda record: seen.append(("enqueued", record.kind)))
    runner.on_started(kind=Greet)(lambda ctx: seen.append(("started", ctx.kind)))
    jobs = [runner.enqueue(behave.job("work")).id, runner.enqueue(Greet()).id]
    jobs += [item.record.id for item in runner.backend.insert([NewRecord(kind="act", payload=b'"work"')])]
    jobs += [item.record.id for item in runner.backend.insert([NewRecord(kind="hello", payload=b"{}")])]
    runner.start()
    runner.wait_for_all(jobs)
    runner.stop()
    assert sorted(seen) == [
        *[("class", "greet"), ("class", "hello"), ("definition", "act"), ("definition", "behave")],
        *[("enqueued", "greet"), ("name", "greet"), ("started", "greet"), ("started", "hello")],
    ]
    of_definition(runner.get(jobs[0]), Complete(runner.get(jobs[0]).claim))


def test_enqueued(runner: Runner) -> None:
    """`on_enqueued` is called for each new job of a batch or a schedule that is run now, not for duplicates."""
    watcher = Watcher(runner)
    behave = behaving(runner)
    runner.enqueue_batch([behave.job("one"), behave.job("two")])
    for _ in range(2):
        runner.enqueue(behave.job("three"), unique_key="three")
    runner.put_schedule("@daily", behave.job("four"), name="daily")
    runner.run_schedule("daily")
    assert [(event, name) for event, name, _ in watcher.events] == [
        *[("enqueued", "one"), ("enqueued", "two"), ("enqueued", "three"), ("enqueued", "four")]
    ]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_started(runner: Runner, asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    """`on_started` is called in the handler's thread. Its exception is logged and does not affect the job."""
    threads: list[int] = []

    @runner.on_started
    def broken(ctx: Context) -> None:
        threads.append(threading.get_ident())
        raise RuntimeError("broken callback")

    def sync(number: int, ctx: Context) -> int:
        threads.append(threading.get_ident())
        return number

    async def coroutine(number: int, ctx: Context) -> int:
        threads.append(threading.get_ident())
        return number

    job = runner.job("echo")(coroutine if asynchronous else sync)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    assert len(threads) == 2
    assert len({*threads}) == 1
    assert "broken callback" in caplog.text


EVENTS = ("enqueued", "started", "retried", "completed", "discarded", "cancelled")


async def asynchronous(*arguments: Any) -> None:
    """An async function, which cannot be a callback."""


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("callback", [lambda: None, lambda a, b, c: None, asynchronous, 7])
def test_not_a_callback(runner: Runner, event: str, callback: Any) -> None:
    """A callback that does not take the arguments of its event is rejected at its registration."""
    for register in getattr(runner, f"on_{event}"), getattr(runner, f"on_{event}")(kind="x"):
        with pytest.raises(InvalidArgument, match="cannot be a callback; it must be a sync function of"):
            register(callback)


@pytest.mark.parametrize("kind", [7, b"x", "", ["x"], int, Greet()], ids=repr)
def test_not_a_kind(runner: Runner, kind: Any) -> None:
    """A callback is for a name, a definition or a class."""
    with pytest.raises(InvalidArgument, match="kind is"):
        runner.on_completed(kind=kind)(lambda record, outcome: None)


class Hooks:
    """Hooks of one runner."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl
    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Record it."""
        self.calls += [f"enqueued {item.record.kind}" for item in inserted]

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Record it."""
        self.calls.append("begun")
        return lambda: self.calls.append("ended")

    @hookimpl
    def tallystick_settled(self, outcomes: Sequence[Outcome]) -> None:
        """Record it."""
        self.calls += [type(outcome).__name__ for outcome in outcomes]


def test_hooks_of_one_runner(make_runner: MakeRunner) -> None:
    """`add_hooks` adds hooks to one runner, and no other runner calls them."""
    runner, other = make_runner(), make_runner()
    hooks, module = Hooks(), ModuleType("hooks")
    runner.add_hooks(hooks)

    @hookimpl
    def tallystick_claimed(records: Sequence[Record]) -> None:
        hooks.calls.append("claimed")

    vars(module)["tallystick_claimed"] = tallystick_claimed
    runner.add_hooks(module)
    for each in runner, other:
        handle = each.enqueue(behaving(each).job("work"))
        each.start()
        each.wait_for(handle)
        each.stop()
    waiting = runner.enqueue(runner.definitions["behave"].job("later"), run_at=LONG)
    runner.cancel(waiting)
    assert hooks.calls == ["enqueued behave", "claimed", "begun", "ended", "Complete", "enqueued behave", "Cancel"]


class Unmarked:
    """A class whose function is not marked."""

    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Do nothing."""


class WrongArgument:
    """A class whose hook takes an argument that does not exist."""

    @hookimpl
    def tallystick_enqueued(self, jobs: Sequence[Inserted]) -> None:
        """Do nothing."""


class WrongName:
    """A class whose hook does not exist."""

    @hookimpl
    def tallystick_enqueue(self) -> None:
        """Do nothing."""


class WithBackend:
    """A class with a hook of installed plugins."""

    @hookimpl
    def tallystick_backend(self) -> dict[str, type[Backend]]:
        """Register nothing."""
        return {}


@pytest.mark.parametrize(
    "plugin", [Unmarked(), WrongArgument(), WrongName(), WithBackend(), None, 7, "hooks", object(), Hooks]
)
def test_not_hooks(runner: Runner, plugin: Any) -> None:
    """An object without hooks, or with one that cannot work, is rejected."""
    if plugin is Hooks:
        runner.add_hooks(Hooks())
        return
    with pytest.raises(InvalidArgument, match="cannot be a plugin"):
        runner.add_hooks(plugin)


def test_cancellations_are_read_only_for_observers(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an observer of ends, a cancel and a retry cause no further call of the store."""
    runner = make_runner()
    behave = behaving(runner)
    waiting = runner.enqueue(behave.job("later"), run_at=LONG)
    failing = runner.enqueue(behave.job("fail"))
    runner.start()
    eventually(lambda: runner.snapshot().discarded)
    runner.stop()
    reads: list[object] = []
    monkeypatch.setattr(runner.backend, "get", reads.append)
    runner.cancel(waiting)
    assert reads == []
    monkeypatch.undo()
    assert (runner.get(waiting).state, runner.get(failing).attempt) == (State.CANCELLED, 2)
