from datetime import timedelta
from typing import Any

import pytest
from tallystick import (
    AlreadyStarted,
    Closed,
    ConfigurationError,
    Context,
    Definition,
    DuplicateKind,
    InvalidArgument,
    Job,
    Runner,
    Snapshot,
    State,
    UnknownScheme,
)
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SERVICES, MakeRunner, threads


class Echo(Job[int]):
    """Returns its number."""

    kind = "echo"

    number: int = 0

    def work(self, ctx: Context) -> int:
        """Return the number."""
        return self.number


def test_work(runner: Runner) -> None:
    """A running runner works the jobs that were enqueued before and after its start."""
    runner.register(Echo)
    before = runner.enqueue(Echo(number=1))
    runner.start()
    after = runner.enqueue(Echo(number=2))
    assert runner.result(before, timeout=LONG) == 1
    assert runner.result(after, timeout=LONG) == 2
    assert runner.get(after).attempt == 1


def test_work_many(make_runner: MakeRunner) -> None:
    """Many jobs are each worked once, for any batch size and concurrency."""
    runner = make_runner(concurrency=3, batch=7)
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    handles = runner.enqueue_batch([note.job(n) for n in range(500)])
    runner.start()
    for handle in handles:
        runner.result(handle.id, timeout=LONG)
    assert sorted(worked) == list(range(500))
    assert runner.snapshot().completed == 500


def test_duplicate_kind(runner: Runner) -> None:
    """Registering two jobs of one kind fails, and the error names both handlers."""
    runner.register(Echo)
    with pytest.raises(DuplicateKind, match=r"Echo\.work.*other_echo"):

        @runner.job("echo")
        def other_echo(payload: int, ctx: Context) -> None: ...


def test_registering_after_start(runner: Runner) -> None:
    """A job cannot be registered while the runner is running."""
    runner.register(Echo)
    runner.start()
    with pytest.raises(AlreadyStarted, match="'late' cannot be registered"):

        @runner.job("late")
        def late(payload: int, ctx: Context) -> None: ...


def test_definitions(runner: Runner) -> None:
    """`definitions` maps kinds to definitions in the order of registration."""

    @runner.job("first")
    def first(payload: int, ctx: Context) -> None: ...

    runner.register(Echo)
    assert list(runner.definitions) == ["first", "echo"]
    assert runner.definitions["first"] is first
    assert isinstance(runner.definitions["echo"], Definition)


def test_starting_twice(runner: Runner) -> None:
    """A running runner cannot be started again."""
    runner.register(Echo)
    runner.start()
    with pytest.raises(AlreadyStarted, match="stop"):
        runner.start()


def test_starting_again(runner: Runner) -> None:
    """A stopped runner can be started again."""
    runner.register(Echo)
    for number in range(3):
        runner.start()
        assert runner.result(runner.enqueue(Echo(number=number)), timeout=LONG) == number
        runner.stop()


def test_nothing_to_work(runner: Runner) -> None:
    """A runner without jobs and queues cannot be started; jobs can still be registered afterwards."""
    with pytest.raises(InvalidArgument, match="no jobs are registered and no queues are set"):
        runner.start()
    assert not runner.running
    runner.register(Echo)
    runner.start()


def test_stopping_is_repeatable(runner: Runner) -> None:
    """`stop` is harmless when repeated or before any start."""
    runner.register(Echo)
    runner.stop()
    runner.start()
    runner.stop()
    runner.stop()
    assert not runner.running


def test_closing_is_repeatable(runner: Runner) -> None:
    """`close` is harmless when repeated, and a closed runner stays closed."""
    runner.register(Echo)
    runner.start()
    runner.close()
    runner.close()
    with pytest.raises(Closed, match="create another"):
        runner.start()


def test_closing_unused(runner: Runner) -> None:
    """A runner that was closed before its first use never opens its store."""
    runner.close()
    with pytest.raises(Closed):
        _ = runner.backend


def test_running(runner: Runner) -> None:
    """`running` is true from `start` to `stop`."""
    runner.register(Echo)
    running = [runner.running]
    for change in (runner.start, runner.stop):
        change()
        running.append(runner.running)
    assert running == [False, True, False]
    assert runner.snapshot() == Snapshot(running=False)


def test_no_thread_before_start(make_runner: MakeRunner) -> None:
    """A runner that only enqueues starts no threads."""
    before = threads(*SERVICES)
    runner = make_runner()
    runner.register(Echo)
    runner.enqueue(Echo())
    assert threads(*SERVICES) <= before


def test_block() -> None:
    """A runner's `with` block opens its store and closes it at the end."""
    with Runner("memory://") as runner:
        backend = runner.backend
        runner.register(Echo)
        runner.start()
    assert not runner.running
    with pytest.raises(Closed):
        backend.stats()


def test_backend_object(make_runner: MakeRunner) -> None:
    """A backend passed as an object is used, and stays open after `close`."""
    backend = MemoryBackend()
    runner = make_runner(backend)
    assert runner.backend is backend
    runner.close()
    assert backend.stats().total == 0


class Unready(MemoryBackend):
    """Records whether `setup` was called."""

    ready = False

    def setup(self) -> None:
        """Record the call."""
        self.ready = True


@pytest.mark.parametrize("auto_setup", [True, False])
def test_auto_setup(make_runner: MakeRunner, auto_setup: bool) -> None:
    """Opening the store sets it up, unless `auto_setup` is off."""
    backend = Unready()
    _ = make_runner(backend, auto_setup=auto_setup).backend
    assert backend.ready is auto_setup


def test_opened_late() -> None:
    """A runner can be made with an invalid URL; its first use raises."""
    runner = Runner("nowhere://")
    assert runner.enqueue_batch([]) == []
    with pytest.raises(UnknownScheme):
        _ = runner.backend


def test_configure(make_runner: MakeRunner) -> None:
    """Settings can be changed until the store is open."""
    runner = make_runner(MemoryBackend(), batch=7)
    runner.configure(backend="memory://other", concurrency=2)
    assert (runner.settings.backend, runner.settings.concurrency, runner.settings.batch) == ("memory://other", 2, 7)
    _ = runner.backend
    with pytest.raises(AlreadyStarted, match="before its first use"):
        runner.configure(concurrency=3)


def test_bad_configure(runner: Runner) -> None:
    """An invalid setting is rejected, and the settings stay unchanged."""
    with pytest.raises(ConfigurationError, match="concurrency"):
        runner.configure(concurrency=0)
    assert runner.settings.concurrency == 4


def test_queues(make_runner: MakeRunner) -> None:
    """A runner works the queues of its jobs; with `queues` set, only those."""
    runner = make_runner(queues=["fast"])

    @runner.job("slow", queue="slow")
    def slow(payload: None, ctx: Context) -> str:
        return ctx.queue

    here, elsewhere = runner.enqueue(slow.job(None), queue="fast"), runner.enqueue(slow.job(None))
    runner.start()
    assert runner.result(here, timeout=LONG) == "fast"
    assert runner.get(elsewhere).state is State.PENDING


def test_paused_queue(runner: Runner) -> None:
    """Jobs of a paused queue are pending until it is resumed."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    @runner.job("other", queue="other")
    def other(payload: int, ctx: Context) -> int:
        return payload

    runner.backend.pause("default")
    waiting = runner.enqueue(echo.job(1))
    runner.start()
    assert runner.result(runner.enqueue(other.job(2)), timeout=LONG) == 2
    assert runner.get(waiting).state is State.PENDING
    runner.backend.resume("default")
    assert runner.result(waiting, timeout=LONG) == 1


def test_priority(make_runner: MakeRunner) -> None:
    """Due jobs are worked by descending priority, and among equals the oldest first."""
    runner = make_runner(concurrency=1)
    worked: list[int] = []

    @runner.job("note")
    def note(payload: int, ctx: Context) -> None:
        worked.append(payload)

    handles = [runner.enqueue(note.job(n), priority=priority) for n, priority in enumerate([0, 5, -5, 5, 0])]
    runner.start()
    for handle in handles:
        runner.result(handle.id, timeout=LONG)
    assert worked == [1, 3, 0, 4, 2]


def test_due_later(runner: Runner) -> None:
    """A job is not worked before it is due."""
    moments: list[timedelta] = []

    @runner.job("note")
    def note(payload: None, ctx: Context) -> None:
        assert ctx.record.attempted_at is not None
        moments.append(ctx.record.attempted_at - ctx.record.run_at)

    runner.start()
    runner.result(runner.enqueue_in(timedelta(milliseconds=50), note.job(None)).id, timeout=LONG)
    assert moments[0] >= AT_ONCE


@pytest.mark.parametrize("settings", [{"concurrency": 0}, {"batch": 0}, {"lease": AT_ONCE}])
def test_bad_settings(make_runner: MakeRunner, settings: dict[str, Any]) -> None:
    """A runner with an invalid setting cannot be made."""
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        make_runner(**settings)
