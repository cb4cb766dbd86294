"""Services of handlers."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import svcs
from tallystick import Context, DefinitionError, DiscardJob, InvalidArgument, Job, Runner, Status, declare, job

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually, stored


class Connection:
    """A service."""

    def __init__(self, number: int = 0) -> None:
        self.number = number


class Mailer:
    """A service that needs another."""

    def __init__(self, connection: Connection, job_id: str = "") -> None:
        self.connection = connection
        self.job_id = job_id


class Log(list[str]):
    """A service that is always the same."""


@pytest.fixture
def log(runner: Runner) -> Log:
    """Provide a connection, a mailer on it, and the log of what happened to them."""
    log = Log()

    @runner.provide(Log)
    def provide_log() -> Log:
        return log

    @runner.provide(Connection)
    def connection(log: Log) -> Iterator[Connection]:
        log.append("connect")
        try:
            yield Connection(7)
        except BaseException as exc:
            log.append(f"roll back {type(exc).__name__}")
            raise
        finally:
            log.append("disconnect")

    @runner.provide(Mailer)
    def mailer(connection: Connection, ctx: Context) -> Iterator[Mailer]:
        log.append("open mailer")
        yield Mailer(connection, str(ctx.id))
        log.append("close mailer")

    return log


def sync(payload: int, ctx: Context, mailer: Mailer, *, connection: Connection) -> str:
    """Use two services, which share a connection."""
    assert mailer.connection is connection
    assert mailer.job_id == str(ctx.id)
    return f"{payload} {connection.number}"


async def coroutine(payload: int, ctx: Context, mailer: Mailer, *, connection: Connection) -> str:
    """Use two services, which share a connection."""
    return sync(payload, ctx, mailer, connection=connection)


class Send(Job[str]):
    """A job whose method takes a service."""

    kind = "send"
    number: int

    def work(self, ctx: Context, mailer: Mailer) -> str:
        """Return the numbers."""
        return f"{self.number} {mailer.connection.number}"


@pytest.mark.parametrize("function", [sync, coroutine])
def test_function(runner: Runner, log: Log, function: Callable[..., Any]) -> None:
    """A handler gets the services of its annotations, made once for each attempt, and closed in reverse."""
    handler = runner.job("work")(function)
    runner.start()
    for number in range(2):
        assert runner.result(runner.enqueue(handler.job(number)), timeout=LONG) == f"{number} 7"
    runner.stop()
    assert log == ["connect", "open mailer", "close mailer", "disconnect"] * 2


def test_class(runner: Runner, log: Log) -> None:
    """The method `work` of a class gets services, too."""
    runner.register(Send)
    runner.start()
    assert runner.result(runner.enqueue(Send(number=3)), timeout=LONG) == "3 7"
    assert Send(number=3).work(Context(stored()), Mailer(Connection(1))) == "3 1"


def test_declared_and_raw(runner: Runner, log: Log) -> None:
    """So do the handlers of declared kinds and of raw ones."""
    declared = declare("declared", int, int)

    @runner.handles(declared)
    def handle(payload: int, ctx: Context, connection: Connection) -> int:
        return payload + connection.number

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context, connection: Connection) -> bytes:
        return payload * connection.number

    runner.start()
    assert runner.result(declared.enqueue(1), timeout=LONG) == 8
    assert runner.result(runner.enqueue(raw.job(b"a")), timeout=LONG) == b"aaaaaaa"


def test_async_providers(runner: Runner) -> None:
    """An async handler can also use services of async functions and of async generators."""
    events: list[str] = []

    @runner.provide(Connection)
    async def connection() -> Connection:
        return Connection(4)

    @runner.provide(Mailer)
    async def mailer(connection: Connection) -> AsyncIterator[Mailer]:
        yield Mailer(connection)
        events.append(f"closed in {threading.current_thread().name}")

    @runner.job("work")
    async def work(payload: None, ctx: Context, mailer: Mailer) -> int:
        return mailer.connection.number

    runner.start()
    assert runner.result(runner.enqueue(work.job(None)), timeout=LONG) == 4
    eventually(lambda: events == ["closed in tallystick-loop"])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_exception_of_the_handler(runner: Runner, log: Log, is_async: bool) -> None:
    """An exception of the handler is raised at the `yield`, and a provider that catches it does not hide it."""

    @runner.provide(Mailer)
    def forgiving(connection: Connection) -> Iterator[Mailer]:
        try:
            yield Mailer(connection)
        except DiscardJob:
            log.append("forgiven")

    def fail(payload: None, ctx: Context, mailer: Mailer) -> None:
        raise DiscardJob("no")

    async def fail_async(payload: None, ctx: Context, mailer: Mailer) -> None:
        raise DiscardJob("no")

    handler = runner.job("fail")(fail_async) if is_async else runner.job("fail")(fail)
    runner.start()
    assert runner.wait_for(runner.enqueue(handler.job(None))).status is Status.DISCARDED
    assert log == ["connect", "forgiven", "disconnect"]


def test_exception_of_a_provider(runner: Runner, log: Log) -> None:
    """If a provider raises, the attempt fails, and the services made before it are closed."""

    @runner.provide(Mailer)
    def broken(connection: Connection) -> Mailer:
        raise ConnectionError("no mail today")

    @runner.job("work", max_attempts=1)
    def work(payload: None, ctx: Context, mailer: Mailer) -> None:
        log.append("never")

    runner.start()
    result = runner.wait_for(runner.enqueue(work.job(None)))
    assert result.record is not None
    assert result.record.last_error is not None
    assert (result.status, result.record.last_error.message) == (Status.DISCARDED, "no mail today")
    assert log == ["connect", "roll back ConnectionError", "disconnect"]


def test_exception_while_closing(runner: Runner) -> None:
    """If a service cannot be closed, e.g. committed, the attempt has failed."""

    @runner.provide(Connection)
    def connection() -> Iterator[Connection]:
        yield Connection()
        raise ConnectionError("no commit")

    @runner.job("work", max_attempts=1)
    def work(payload: None, ctx: Context, connection: Connection) -> None: ...

    runner.start()
    assert runner.wait_for(runner.enqueue(work.job(None))).status is Status.DISCARDED


def test_a_class_is_its_own_provider(runner: Runner) -> None:
    """A provider can be a class, and a later provider replaces an earlier one."""
    runner.provide(Connection)(lambda: Connection(1))
    runner.provide(Connection)(Connection)

    @runner.job("work")
    def work(payload: None, ctx: Context, connection: Connection) -> int:
        return connection.number

    runner.start()
    assert runner.result(runner.enqueue(work.job(None)), timeout=LONG) == 0


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_svcs(runner: Runner, is_async: bool) -> None:
    """Services without a provider come from a registry of svcs, with a container for each attempt."""
    events: list[str] = []
    registry = svcs.Registry()

    def connection() -> Iterator[Connection]:
        yield Connection(5)
        events.append("closed")

    registry.register_factory(Connection, connection)
    runner.use_svcs(registry)
    runner.provide(Log)(Log)

    def work(payload: None, ctx: Context, connection: Connection, log: Log) -> int:
        return connection.number

    async def work_async(payload: None, ctx: Context, connection: Connection, log: Log) -> int:
        return connection.number

    handler = runner.job("work")(work_async) if is_async else runner.job("work")(work)
    runner.start()
    assert [runner.result(runner.enqueue(handler.job(None)), timeout=LONG) for _ in range(2)] == [5, 5]
    eventually(lambda: events == ["closed", "closed"])


def test_svcs_needs_a_registry(runner: Runner) -> None:
    """Only a registry can be used."""
    with pytest.raises(InvalidArgument, match=r"must be a svcs\.Registry"):
        runner.use_svcs(7)  # type: ignore[arg-type]  # wrong on purpose


def test_missing_provider(make_runner: MakeRunner) -> None:
    """A worker does not start without the providers of its handlers' services, and of their services."""
    runner = make_runner()
    runner.register(Send)
    with pytest.raises(DefinitionError, match=r"'send' needs .*Mailer.*@runner\.provide\(Mailer\)"):
        runner.start()

    @runner.provide(Mailer)
    def mailer(connection: Connection) -> Mailer:
        return Mailer(connection)

    with pytest.raises(DefinitionError, match=r"'send' needs .*Connection"):
        runner.start()
    runner.use_svcs(svcs.Registry())
    with pytest.raises(DefinitionError, match="Connection"):
        runner.start()
    runner.provide(Connection)(Connection)
    runner.start()


def test_providers_in_a_circle(make_runner: MakeRunner) -> None:
    """Services that need each other are found at the start."""
    runner = make_runner()
    runner.register(Send)

    @runner.provide(Connection)
    def connection(mailer: Mailer) -> Connection:
        return mailer.connection

    @runner.provide(Mailer)
    def mailer(connection: Connection) -> Mailer:
        return Mailer(connection)

    with pytest.raises(DefinitionError, match=r"Mailer.* needs itself"):
        runner.start()


def test_async_provider_of_a_sync_handler(make_runner: MakeRunner) -> None:
    """A sync handler cannot use an async provider."""
    runner = make_runner()
    runner.register(Send)

    @runner.provide(Mailer)
    async def mailer() -> Mailer:
        return Mailer(Connection())

    with pytest.raises(DefinitionError, match=r"'send' is sync, and the provider of .* is async"):
        runner.start()


def unannotated(payload: int, ctx: Context, mailer) -> None: ...  # type: ignore[no-untyped-def]  # invalid on purpose
def number(payload: int, ctx: Context, number: int) -> None: ...
def many(payload: int, ctx: Context, *mailers: Mailer) -> None: ...


@pytest.mark.parametrize("function", [unannotated, number, many])
def test_not_a_service(function: Any) -> None:
    """A further argument of a handler must be annotated with a class that Python does not come with."""
    with pytest.raises(DefinitionError, match="must take two arguments"):
        job("bad")(function)


@pytest.mark.parametrize("service", [7, "Mailer", int, None, Context])
def test_provider_of_no_service(runner: Runner, service: Any) -> None:
    """A provider is for a class."""
    with pytest.raises(InvalidArgument, match="must be a class of your own"):
        runner.provide(service)(lambda: None)


def test_not_a_provider(runner: Runner) -> None:
    """A provider is a function whose parameters are services."""
    with pytest.raises(InvalidArgument, match="must be a function"):
        runner.provide(Mailer)(7)  # type: ignore[type-var]  # wrong on purpose
    with pytest.raises(DefinitionError, match="annotate it with another service or Context"):
        runner.provide(Mailer)(lambda connection: None)


def test_no_services_no_container(runner: Runner) -> None:
    """A handler without services makes none."""
    made: list[int] = []
    runner.provide(Connection)(lambda: made.append(1))

    @runner.job("plain", timeout=LONG)
    def plain(payload: None, ctx: Context) -> None: ...

    runner.start()
    assert runner.wait_for(runner.enqueue(plain.job(None)), timeout=LONG + AT_ONCE).status is Status.COMPLETED
    assert made == []
