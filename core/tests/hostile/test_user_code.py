"""Exceptions of user code end no thread of the worker, and leave no job running."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any
from weakref import ref

import pytest
from pydantic import BaseModel, field_serializer
from tallystick import (
    Context,
    DiscardJob,
    Exponential,
    Failure,
    NewRecord,
    Outcome,
    Record,
    Runner,
    Snooze,
    State,
    hookimpl,
)
from tallystick.hooks import plugins

from ..helpers import LONG, SERVICES, MakeRunner, eventually, threads

RAISED = [
    ValueError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    StopIteration,
    asyncio.CancelledError,
    RecursionError,
    MemoryError,
    BaseExceptionGroup,
]

every = pytest.mark.parametrize("raised", RAISED)
styles = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def build(raised: type[BaseException]) -> BaseException:
    """Return an exception of the given type."""
    return raised("no", [SystemExit()]) if raised is BaseExceptionGroup else raised("no")


def still_works(runner: Runner) -> bool:
    """Check that the worker still works jobs with all its threads."""
    handle = runner.enqueue(runner.definitions["echo"].job(7))
    # no thread has the fetcher's name while one hands this role to another
    return runner.result(handle, timeout=LONG) == 7 and eventually(lambda: len(threads(*SERVICES)) >= len(SERVICES))


def echo(runner: Runner, asynchronous: bool = False) -> None:
    """Register a job that returns its payload."""

    def sync(payload: int, ctx: Context) -> int:
        return payload

    async def coroutine(payload: int, ctx: Context) -> int:
        return payload

    runner.job("echo")(coroutine if asynchronous else sync)


def work_hostile_job(make_runner: MakeRunner, result: Callable[[], Any], asynchronous: bool, **options: Any) -> Record:
    """Work a job whose handler calls `result`, check that the worker still works, and return the job's record."""
    runner = make_runner(concurrency=1)
    echo(runner, asynchronous)

    def sync(payload: None, ctx: Context) -> Any:
        return result()

    async def coroutine(payload: None, ctx: Context) -> Any:
        return result()

    job = runner.job("hostile", **options)(coroutine if asynchronous else sync)
    handle = runner.enqueue(job.job(None))
    runner.start()
    assert still_works(runner)
    eventually(lambda: runner.get(handle).state not in (State.PENDING, State.RUNNING))
    return runner.get(handle)


def throw(exc: BaseException) -> Any:
    """Raise an exception."""
    raise exc


@styles
@every
def test_exception_whose_text_raises(make_runner: MakeRunner, raised: type[BaseException], asynchronous: bool) -> None:
    """An exception that raises in str(), repr(), its class, truth and attributes ends its attempt like any other."""

    class Hostile(Exception):
        def __str__(self) -> str:
            raise build(raised)

        __repr__ = __str__

        def __bool__(self) -> bool:
            raise build(raised)

        def __getattribute__(self, name: str) -> Any:
            raise build(raised)

    record = work_hostile_job(make_runner, lambda: throw(Hostile()), asynchronous, max_attempts=1)
    assert record.state is State.DISCARDED
    assert record.last_error is not None
    assert record.last_error.type.endswith("Hostile")


@styles
@every
def test_result_that_raises(make_runner: MakeRunner, raised: type[BaseException], asynchronous: bool) -> None:
    """A result whose repr(), comparison or serializer raises discards its job without a retry."""

    class Hostile(BaseModel):
        number: int = 0

        def __repr__(self) -> str:
            raise build(raised)

        def __eq__(self, other: object) -> bool:
            raise build(raised)

        __hash__ = None  # type: ignore[assignment]  # Python sets it too

        @field_serializer("number")
        def _write(self, value: int) -> int:
            raise build(raised)

    record = work_hostile_job(make_runner, Hostile, asynchronous)
    assert (record.state, record.attempt) == (State.DISCARDED, 1)
    assert record.last_error is not None
    assert record.last_error.message.startswith("the handler ran and returned")


@styles
@every
def test_policy_that_raises(make_runner: MakeRunner, raised: type[BaseException], asynchronous: bool) -> None:
    """If a retry policy raises, the default delay applies."""
    record = work_hostile_job(
        make_runner, lambda: throw(ValueError()), asynchronous, retry=lambda attempt, exc, draw: throw(build(raised))
    )
    assert record.state is State.RETRYING


@styles
def test_snooze_without_its_moment(make_runner: MakeRunner, asynchronous: bool) -> None:
    """A Snooze with a missing or invalid moment is a failure like any other."""

    class Lost(Snooze):
        def __init__(self) -> None:
            self.run_at = -5  # type: ignore[assignment]  # wrong on purpose

    assert work_hostile_job(make_runner, lambda: throw(Lost()), asynchronous).state is State.RETRYING


@styles
def test_decision_that_raises(make_runner: MakeRunner, asynchronous: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt ends even if deciding its outcome raises MemoryError."""
    monkeypatch.setattr(Exponential, "__call__", lambda self, attempt, exc, draw: throw(MemoryError()))
    record = work_hostile_job(make_runner, lambda: throw(ValueError()), asynchronous)
    assert record.state is State.RETRYING
    assert isinstance(record.last_error, Failure)


@every
@pytest.mark.parametrize("abandoned", [False, True], ids=["on_completed", "on_discarded"])
def test_callback_that_raises(runner: Runner, raised: type[BaseException], abandoned: bool) -> None:
    """A callback that raises affects neither other callbacks nor the next jobs."""
    seen: list[Record] = []
    register = runner.on_discarded if abandoned else runner.on_completed

    class Hostile:
        def __call__(self, record: Record, outcome: Outcome) -> None:
            raise build(raised)

        def __repr__(self) -> str:
            raise build(raised)

    register(Hostile())
    register(lambda record, outcome: seen.append(record))
    echo(runner)

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None:
        if abandoned:
            raise DiscardJob

    handle = runner.enqueue(work.job(None))
    runner.start()
    eventually(lambda: handle.id in [record.id for record in seen])
    assert still_works(runner)


class Hostile:
    """A plugin whose hooks raise."""

    def __init__(self, raised: type[BaseException]) -> None:
        self._raised = raised

    @hookimpl
    def tallystick_claimed(self) -> None:
        """Raise."""
        raise build(self._raised)

    @hookimpl
    def tallystick_settled(self) -> None:
        """Raise."""
        raise build(self._raised)

    @hookimpl
    def tallystick_work(self) -> Callable[[], None]:
        """Return a function that raises."""
        return lambda: throw(build(self._raised))


@pytest.fixture
def hostile(raised: type[BaseException]) -> Iterator[None]:
    """Register a plugin whose hooks raise."""
    hooks = plugins.installed().hooks
    plugin = Hostile(raised)
    hooks.register(plugin)
    yield
    hooks.unregister(plugin)


@pytest.mark.usefixtures("hostile")
@styles
@every
def test_hook_that_raises(make_runner: MakeRunner, raised: type[BaseException], asynchronous: bool) -> None:
    """Hooks that raise before, during or after a job do not affect it."""
    assert work_hostile_job(make_runner, lambda: None, asynchronous).state is State.COMPLETED


class HostileLog(logging.Handler):
    """A log handler that raises."""

    def __init__(self, raised: type[BaseException]) -> None:
        super().__init__()
        self._raised = raised

    def emit(self, record: logging.LogRecord) -> None:
        """Raise."""
        raise build(self._raised)


@pytest.mark.parametrize("as_filter", [False, True], ids=["handler", "filter"])
@every
def test_logging_that_raises(make_runner: MakeRunner, raised: type[BaseException], as_filter: bool) -> None:
    """A log handler or filter that raises affects neither a job nor a thread."""
    logger, handler = logging.getLogger("tallystick.worker"), HostileLog(raised)
    handler.setLevel(logging.WARNING)

    def hostile(record: logging.LogRecord) -> bool:
        return record.levelno < logging.WARNING or bool(throw(build(raised)))

    if as_filter:
        logger.addFilter(hostile)
    else:
        logger.addHandler(handler)
    try:
        assert (
            work_hostile_job(make_runner, lambda: throw(ValueError()), False, max_attempts=1).state is State.DISCARDED
        )
    finally:
        logger.removeFilter(hostile)
        logger.removeHandler(handler)


@every
def test_unfinished_tasks(make_runner: MakeRunner, raised: type[BaseException]) -> None:
    """Tasks and callbacks that a handler left on the loop, and that raise, do not affect the loop or other jobs."""
    runner = make_runner()
    echo(runner, asynchronous=True)

    async def raises() -> None:
        raise build(raised) if raised is not StopIteration else ValueError

    @runner.job("leave")
    async def leave(payload: None, ctx: Context) -> None:
        tasks.append(asyncio.create_task(raises()))
        asyncio.get_running_loop().call_soon(lambda: throw(build(raised)))
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda task: throw(build(raised)))

    tasks: list[asyncio.Task[None]] = []
    handle = runner.enqueue(leave.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.COMPLETED)
    assert still_works(runner)
    eventually(lambda: all(task.done() for task in tasks))
    assert all(task.cancelled() or task.exception() for task in tasks)


def test_task_factory_that_raises(make_runner: MakeRunner) -> None:
    """After a handler has set a broken task factory on the loop, later jobs fail instead of staying in running."""
    runner = make_runner()

    @runner.job("break", max_attempts=1)
    async def broken(payload: bool, ctx: Context) -> None:
        asyncio.get_running_loop().set_task_factory(lambda loop, coro: throw(LookupError()))

    first = runner.enqueue(broken.job(True))
    runner.start()
    eventually(lambda: runner.get(first).state is State.COMPLETED)
    second = runner.enqueue(broken.job(True))
    eventually(lambda: runner.get(second).state is State.DISCARDED)


@styles
def test_context_variables(make_runner: MakeRunner, asynchronous: bool) -> None:
    """Context variables set by a handler, a callback or a hook are not visible to other handlers."""
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
    seen: list[str] = []

    class Sets:
        @hookimpl
        def tallystick_claimed(self) -> None:
            tenant.set("hook")

    def sync(payload: int, ctx: Context) -> None:
        seen.append(tenant.get())
        tenant.set("job")

    async def coroutine(payload: int, ctx: Context) -> None:
        seen.append(tenant.get())
        tenant.set("job")

    def callback(record: Record, outcome: Outcome) -> None:
        seen.append(tenant.get())
        tenant.set("callback")

    runner = make_runner(concurrency=1)
    job = runner.job("bind")(coroutine if asynchronous else sync)
    runner.on_completed(callback)
    plugin = Sets()
    plugins.installed().hooks.register(plugin)
    try:
        runner.enqueue_batch([job.job(number) for number in range(3)])
        runner.start()
        eventually(lambda: len(seen) == 6)
    finally:
        plugins.installed().hooks.unregister(plugin)
    assert set(seen) == {"nobody"}


@styles
def test_exceptions_are_dropped(make_runner: MakeRunner, asynchronous: bool) -> None:
    """The worker passes a handler's exception to callbacks and logs, and then drops it."""

    class Marked(Exception):
        pass

    refs: list[ref[Marked]] = []
    kinds: list[type] = []

    def raises() -> None:
        error = Marked("x")
        refs.append(ref(error))
        raise error

    runner = make_runner(concurrency=1)

    @runner.on_discarded
    def note(record: Record, outcome: Outcome, exception: BaseException | None) -> None:
        kinds.append(type(exception))

    def sync(payload: None, ctx: Context) -> None:
        contexts.append(ctx)
        raises()

    async def coroutine(payload: None, ctx: Context) -> None:
        contexts.append(ctx)
        raises()

    contexts: list[Context] = []
    logging.disable()  # pytest keeps log records
    try:
        runner.enqueue(runner.job("raise", max_attempts=1)(coroutine if asynchronous else sync).job(None))
        runner.start()
        eventually(lambda: kinds and gc.collect() >= 0 and refs[0]() is None)
    finally:
        logging.disable(logging.NOTSET)
    assert kinds == [Marked]


def test_unreadable_payload_ignores_the_policy(make_runner: MakeRunner) -> None:
    """A payload that cannot be decoded is retried later, whatever the kind's retry policy, for a newer worker."""
    runner = make_runner()

    @runner.job("mail", retry=lambda attempt, exc, draw: None)
    def mail(payload: int, ctx: Context) -> None: ...

    records = [NewRecord(kind="mail", payload=b"{}"), NewRecord(kind="mail", payload=b"{}", max_attempts=1)]
    runner.backend.insert(records)
    runner.start()
    eventually(lambda: runner.get(records[0].id).state is State.RETRYING)
    eventually(lambda: runner.get(records[1].id).state is State.DISCARDED)
