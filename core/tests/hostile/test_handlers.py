"""Handlers, retry policies and payloads that misbehave."""

import asyncio
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, Json, SecretStr, computed_field, field_validator
from tallystick import (
    Context,
    Definition,
    InvalidPayload,
    InvalidResult,
    NewRecord,
    Options,
    State,
)
from tallystick.jobs.codec import Codec

from ..helpers import AT_ONCE, SECOND, SHORT_LEASE, MakeRunner, eventually
from .anyhow import stop_anyhow


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("delay", [-SECOND, 5])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_bad_policy(make_runner: MakeRunner, asynchronous: bool, delay: Any) -> None:
    """If a retry policy returns an invalid delay, the default delay applies, and the worker keeps its slot."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    def sync(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    async def coroutine(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    fail = runner.job("fail", retry=lambda attempt, exc, draw: delay)(coroutine if asynchronous else sync)
    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.RETRYING)


class Proxy(Exception):
    """An error whose every attribute raises."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"no connection to ask for {name}")


def odd_syntax_error() -> SyntaxError:
    """Return a SyntaxError that the traceback module cannot print."""
    error = SyntaxError("wrong", ("query", 1, 1, "select"))
    error.offset = "column"  # type: ignore[assignment]  # wrong on purpose
    return error


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "error",
    [Proxy(), odd_syntax_error()],
    ids=["proxy", "syntax"],
)
def test_odd_error(make_runner: MakeRunner, error: Exception) -> None:
    """An error that cannot be described ends its attempt like any other, and the worker keeps its thread."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    @runner.job("fail", max_attempts=1)
    def fail(payload: None, ctx: Context) -> None:
        raise error

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.DISCARDED)


class Exits(BaseModel):
    """A payload whose validator raises SystemExit."""

    number: int

    @field_validator("number")
    @classmethod
    def _exit(cls, value: int) -> int:
        sys.exit(value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_validator_exits(make_runner: MakeRunner, asynchronous: bool) -> None:
    """A validator that raises SystemExit fails its attempt, and the worker keeps its thread and its loop."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    def sync(payload: Exits, ctx: Context) -> None: ...

    async def coroutine(payload: Exits, ctx: Context) -> None: ...

    runner.job("exit")(coroutine if asynchronous else sync)
    runner.backend.insert([record := NewRecord(kind="exit", payload=b'{"number": 7}')])
    runner.start()
    try:
        eventually(lambda: runner.get(record.id).state is State.RETRYING)
    finally:
        stop_anyhow(runner)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_task_exits(make_runner: MakeRunner) -> None:
    """If a task of an async handler raises SystemExit, the event loop keeps running."""
    runner = make_runner(grace=AT_ONCE)

    async def exits() -> None:
        sys.exit(7)

    @runner.job("spawn", max_attempts=1)
    async def spawn(payload: None, ctx: Context) -> None:
        await asyncio.create_task(exits())

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        return payload

    spawned = runner.enqueue(spawn.job(None))
    runner.start()
    try:
        eventually(lambda: runner.get(spawned).state is State.DISCARDED)
        assert runner.result(runner.enqueue(echo.job(7)), timeout=SECOND) == 7
    finally:
        stop_anyhow(runner)


def test_async_handler_that_ignores_its_timeout(make_runner: MakeRunner) -> None:
    """An async handler that ignores its timeout fails with TimeoutError, like a sync one."""
    runner = make_runner(lease=SHORT_LEASE, grace=AT_ONCE)
    stop: list[bool] = []

    @runner.job("ignore", timeout=SECOND / 25, max_attempts=1)
    async def ignore(payload: None, ctx: Context) -> None:
        while not stop:
            try:
                await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                continue

    handle = runner.enqueue(ignore.job(None))
    runner.start()
    try:
        eventually(lambda: runner.get(handle).state is State.DISCARDED)
    finally:
        stop.append(True)


def test_none_is_not_a_number() -> None:
    """Returning None where the annotation says int is an InvalidResult."""

    def number(payload: None, ctx: Context) -> int:
        return None  # type: ignore[return-value]  # wrong on purpose

    definition = Definition.of_function("number", number, Options())
    with pytest.raises(InvalidResult):
        definition.encode_result(None)  # type: ignore[arg-type]  # wrong on purpose


class Aliased(BaseModel):
    """A model with an alias."""

    user_id: int = Field(alias="userId")


class Embedded(BaseModel):
    """A model with a field of embedded JSON."""

    numbers: Json[list[int]]


class Computed(BaseModel):
    """A model with a computed field that forbids other fields."""

    model_config = ConfigDict(extra="forbid")

    number: int

    @computed_field  # type: ignore[prop-decorator]  # the form in pydantic's manual
    @property
    def double(self) -> int:
        """Return twice the number."""
        return 2 * self.number


class Secret(BaseModel):
    """A model with a field that pydantic masks."""

    token: SecretStr


@pytest.mark.parametrize(
    "value",
    [Aliased(userId=7), Embedded.model_validate({"numbers": "[1, 2]"}), Computed(number=7)],
    ids=["alias", "json", "computed"],
)
def test_models(value: BaseModel) -> None:
    """A model with aliases, embedded JSON or computed fields is a valid payload."""
    codec: Codec[BaseModel] = Codec(type(value), "the payload", InvalidPayload)
    assert codec.decode(codec.encode(value)) == value


def test_masked_secret() -> None:
    """A secret is stored whole or rejected, but never stored as asterisks."""
    codec = Codec[Secret](Secret, "the payload", InvalidPayload)
    try:
        encoded = codec.encode(Secret(token=SecretStr("abc")))
    except InvalidPayload:
        return
    assert codec.decode(encoded).token.get_secret_value() == "abc"
