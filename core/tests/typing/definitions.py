"""Types of jobs that are defined apart from a runner. mypy checks this file, and `test_pyright.py` checks it, too."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any, assert_type, cast
from uuid import UUID

from pydantic import BaseModel
from tallystick import (
    BatchDefinition,
    Context,
    Declaration,
    Definition,
    Handle,
    Job,
    JobResult,
    Outcome,
    Queue,
    Record,
    Runner,
    Stats,
    batch,
    declare,
    handles,
    job,
    raw,
)


class Email(BaseModel):
    """The payload of a declared kind."""

    to: str


class Receipt(BaseModel):
    """A result."""

    number: int


class Greet(Job[Receipt]):
    """A job without `work`, for producers."""

    kind = "greet"
    payload_version = 2
    name: str


class GreetHandler(Greet):
    """Its handler."""

    def work(self, ctx: Context) -> Receipt:
        """Return a receipt."""
        return Receipt(number=len(self.name))


@job("emails:count", queue="emails")
def count(payload: list[str], ctx: Context) -> int:
    """Return a length."""
    return len(payload)


@job("emails:count_async")
async def count_async(payload: list[str], ctx: Context) -> int:
    """Return a length."""
    return len(payload)


@raw("emails:raw")
def reverse(payload: bytes, ctx: Context) -> bytes | None:
    """Reverse the bytes."""
    return payload[::-1]


@batch("index", max=10)
def index(payloads: list[Email], contexts: list[Context]) -> list[Receipt | Exception]:
    """Return receipts."""
    return [Receipt(number=len(contexts)) for _ in payloads]


@batch("index_async", max=10)
async def index_async(payloads: list[Email], contexts: list[Context]) -> list[Receipt]:
    """Return receipts."""
    return [Receipt(number=len(contexts)) for _ in payloads]


@batch("index_silently")
def index_silently(payloads: list[int], contexts: list[Context]) -> None:
    """Do nothing."""


send = declare("emails:send", Email, Receipt, payload_version=2)
forget = declare("emails:forget", Email, None)


@handles(send, max_attempts=3)
def send_email(payload: Email, ctx: Context) -> Receipt:
    """Return a receipt."""
    return Receipt(number=len(payload.to))


@handles(forget)
async def forget_email(payload: Email, ctx: Context) -> None:
    """Do nothing."""


assert_type(count, Definition[list[str], int])
assert_type(count_async, Definition[list[str], int])
assert_type(reverse, Definition[bytes, bytes | None])
assert_type(index, BatchDefinition[Email, Receipt])
assert_type(index_async, BatchDefinition[Email, Receipt])
assert_type(index_silently, BatchDefinition[int, None])
assert_type(send, Declaration[Email, Receipt])
assert_type(forget, Declaration[Email, None])
assert_type(send_email, Definition[Email, Receipt])
assert_type(forget_email, Definition[Email, None])


def of_a_runner(runner: Runner, module: ModuleType) -> None:
    """Register, enqueue and read results."""
    assert_type(runner.register(count), Definition[list[str], int])
    assert_type(runner.register(send), Declaration[Email, Receipt])
    assert_type(runner.register(GreetHandler), type[GreetHandler])
    assert_type(runner.include(module), None)
    assert_type(runner.register(index), BatchDefinition[Email, Receipt])
    assert_type(runner.result(index.enqueue(Email(to="a"))), Receipt)
    assert_type(runner.enqueue(send.job(Email(to="a"))), Handle[Receipt])
    assert_type(runner.enqueue(Greet(name="Ada")), Handle[Receipt])
    assert_type(runner.result(count.enqueue(["a"])), int)
    assert_type(runner.result(Greet(name="Ada").enqueue(queue="names")), Receipt)
    assert_type(runner.wait_for(send.enqueue(Email(to="a"))), JobResult[Receipt])
    assert_type(runner.wait_for(UUID(int=0)), JobResult[Any])
    assert_type(runner.wait_for_all([count.enqueue(["a"]), count.enqueue(["b"])]), list[JobResult[int]])
    assert_type(runner.wait_for(count.enqueue(["a"]), timeout=timedelta(1)).value, int)
    assert_type(runner.pause("emails"), None)
    assert_type(runner.resume("emails"), None)
    assert_type(runner.queues(), Sequence[Queue])
    assert_type(runner.stats(), Stats)

    @runner.handles(send)
    def handler(payload: Email, ctx: Context) -> Receipt:
        return Receipt(number=1)

    assert_type(handler, Definition[Email, Receipt])


class Mailer:
    """A service."""


class Mail(Job[str]):
    """A class whose method takes a service."""

    kind = "mail"

    def work(self, ctx: Context, mailer: Mailer) -> str:
        """Return a text."""
        return type(mailer).__name__


def of_services(runner: Runner) -> None:
    """Take services in handlers of each form, and provide them."""

    @runner.provide(Mailer)
    def mailer() -> Iterator[Mailer]:
        yield Mailer()

    @runner.job("serve")
    def serve(payload: int, ctx: Context, mailer: Mailer) -> str:
        return "served"

    @job("serve_async")
    async def serve_async(payload: int, ctx: Context, mailer: Mailer) -> str:
        return "served"

    @runner.handles(send)
    def send_with(payload: Email, ctx: Context, mailer: Mailer) -> Receipt:
        return Receipt(number=1)

    @runner.raw("serve_raw")
    def serve_raw(payload: bytes, ctx: Context, mailer: Mailer) -> bytes:
        return payload

    assert_type(serve, Definition[int, str])
    assert_type(serve_async, Definition[int, str])
    assert_type(send_with, Definition[Email, Receipt])
    assert_type(serve_raw, Definition[bytes, bytes | None])
    assert_type(runner.register(Mail), type[Mail])
    assert_type(runner.enqueue(Mail()), Handle[str])
    assert_type(mailer(), Iterator[Mailer])


def of_callbacks(runner: Runner) -> None:
    """Register callbacks for all kinds, and for one."""

    @runner.on_completed
    def completed(record: Record, outcome: Outcome) -> int:
        return record.attempt

    @runner.on_discarded(kind=send)
    def discarded(record: Record, outcome: Outcome, *, exception: BaseException | None) -> None: ...

    @runner.on_enqueued(kind=Greet)
    def enqueued(record: Record) -> None: ...

    @runner.on_started
    def started(ctx: Context) -> str:
        return ctx.kind

    assert_type(completed(cast("Record", None), cast("Outcome", None)), int)
    assert_type(started(Context(cast("Record", None))), str)
    enqueued(cast("Record", None))
    _ = discarded
    runner.on_completed(7)  # type: ignore[call-overload]
    runner.on_started(lambda a, b: None)  # type: ignore[type-var]


async def of_an_async_runner(runner: Runner) -> None:
    """Enqueue from async code."""
    assert_type(await count.aenqueue(["a"]), Handle[int])
    assert_type(await send.aenqueue(Email(to="a"), priority=3), Handle[Receipt])
    assert_type(await Greet(name="Ada").aenqueue(), Handle[Receipt])
    assert_type(await runner.astats(), Stats)
    assert_type(await runner.await_for(await count.aenqueue(["a"])), JobResult[int])
    assert_type(await runner.await_for_all([await send.aenqueue(Email(to="a"))]), list[JobResult[Receipt]])
    assert_type(await runner.apause("emails"), None)


def wrong(runner: Runner) -> None:
    """Each call is an error, so that the comment that ignores it is used."""
    count.enqueue("a")  # type: ignore[arg-type]
    send.enqueue(Email(to="a"), colour="red")  # type: ignore[call-arg]
    runner.enqueue(count)  # type: ignore[arg-type]
    declare("emails:send")  # type: ignore[call-overload]
    runner.register(len)  # type: ignore[type-var]

    @batch("wrong")  # type: ignore[arg-type]
    def not_a_batch(payload: int, ctx: Context) -> int:
        return payload

    @handles(send)  # type: ignore[arg-type]
    def handler(payload: int, ctx: Context) -> Receipt:
        return Receipt(number=payload)

    _ = handler, not_a_batch


@send.upgrade_from(1)
def upgrade(old: dict[str, str]) -> Email:
    """Upgrade a payload."""
    return Email(to=old["address"])


@Greet.upgrade_from(1)
def rename(old: dict[str, str]) -> dict[str, str]:
    """Upgrade a payload."""
    return {"name": old["first_name"]}


assert_type(upgrade({}), Email)
assert_type(rename({}), dict[str, str])
