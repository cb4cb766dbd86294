"""Handlers and decorators in the style of Celery, RQ, Huey and Dramatiq: the error says what to write instead."""

import functools
from collections.abc import Awaitable, Callable
from types import new_class
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from pydantic import BaseModel
from tallystick import Context, DefinitionError, InvalidArgument, Job, JobDiscarded, Never, Runner, TallystickError

from ..helpers import LONG, SECOND

if TYPE_CHECKING:
    from tallystick import Context as OnlyForTypeCheckers

T = TypeVar("T")


@pytest.mark.parametrize("name", ["job", "raw"])
def test_decorator_without_its_kind(runner: Runner, name: str) -> None:
    """For a decorator without a kind, the error shows how to write it."""
    decorate: Any = getattr(runner, name)
    with pytest.raises(DefinitionError, match=rf'write @runner\.{name}\("no_arguments"\)'):
        decorate(no_arguments)
    with pytest.raises(DefinitionError, match=rf"write @runner\.{name}\("):
        decorate()
    assert not runner.definitions


@pytest.mark.parametrize("name", ["register", "on_completed", "on_discarded"])
def test_decorator_with_parentheses(runner: Runner, name: str) -> None:
    """For a decorator with unnecessary parentheses, the error shows how to write it."""
    with pytest.raises(DefinitionError, match=f"write @runner.{name}"):
        getattr(runner, name)()


@pytest.mark.parametrize("kind", [None, 7, "", b"mail", ["mail"], "a\nb", "x" * 256])
def test_bad_kind(runner: Runner, kind: Any) -> None:
    """The decorator rejects an invalid kind at once."""
    with pytest.raises(InvalidArgument, match="kind is"):
        runner.job(kind)


@pytest.mark.parametrize(
    ("option", "value", "advice"),
    [
        ("retry", 0, r"Never\(\)"),
        ("retry", 3, "max_attempts"),
        ("retry", True, "max_attempts"),
        ("retry", None, r"Never\(\)"),
        ("max_attempts", None, "from 1 to"),
        ("timeout", None, r"timedelta\.max"),
        ("retry", SECOND, "Fixed"),
        ("retry", Never, r"Never\(\.\.\.\)"),
        ("retry", lambda: None, "attempt, exc, draw"),
        ("timeout", 30, r"timedelta\(seconds=30\)"),
        ("tags", "urgent", r"\['urgent'\]"),
        ("tags", {"urgent": 1}, "list of names"),
        ("priority", "high", "whole number"),
        ("retries", 3, "max_attempts"),
        ("max_attemps", 3, "max_attempts"),
        ("name", "mail", "the kind"),
        ("unique_key", "one", "when you enqueue"),
        ("cron", "* * * * *", r"write @runner\.schedule"),
        ("colour", "red", "the options are: aliases, debounce_max"),
    ],
)
def test_bad_option(runner: Runner, option: str, value: object, advice: str) -> None:
    """The decorator rejects an unknown or invalid option, and says what to write."""
    with pytest.raises(TallystickError, match=advice):
        runner.job("mail", **{option: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("option", ["max_attempts", "retry", "timeout"])
def test_none_in_a_class(runner: Runner, option: str) -> None:
    """An option of a class is left out for the runner's setting. None, which could mean no limit, is rejected."""
    body = {"__module__": __name__, "kind": "emails:none", option: None}
    with pytest.raises(DefinitionError, match=f"{option} of 'emails:none' is None; leave it out"):
        runner.register(new_class("Reset", (Job,), exec_body=lambda namespace: namespace.update(body)))


def logged(function: Callable[..., T]) -> Callable[..., T]:
    """Wrap a function with functools.wraps."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> T:
        return function(*args, **kwargs)

    return wrapper


async def coroutine(payload: int, ctx: Context) -> int:
    """Return the payload."""
    return payload


async def async_generator(payload: int, ctx: Context) -> Any:
    """Yield."""
    yield payload


class Service:
    """An object with handlers."""

    def send(self, payload: int, ctx: Context) -> int:
        """Return the payload."""
        return payload

    async def __call__(self, payload: int, ctx: Context) -> int:
        """Return the payload."""
        return payload


def no_wraps(*args: Any, **kwargs: Any) -> None: ...
def celery_style(user_id: int, subject: str) -> None: ...
def no_arguments() -> None: ...
def no_annotation(payload: int, subject) -> None: ...  # type: ignore[no-untyped-def]  # invalid on purpose


@pytest.mark.parametrize(
    ("handler", "advice"),
    [
        (logged(coroutine), "async def"),
        (logged(async_generator), "not yield"),
        (functools.partial(coroutine), "write a def"),
        (Service(), "write a def"),
        (Service.send, "register a bound method"),
        (Service, "write a def"),
        (no_wraps, r"functools\.wraps"),
        (celery_style, "ctx: Context"),
        (no_annotation, "ctx: Context"),
        (no_arguments, "two arguments"),
        (None, "must be a function"),
        ("app.tasks.mail", "must be a function"),
    ],
)
def test_bad_handler(runner: Runner, handler: Any, advice: str) -> None:
    """A handler that could not be called, or whose coroutine would be lost, is rejected at its registration."""
    for decorate in (runner.job("mail"), runner.raw("mail")):
        with pytest.raises(DefinitionError, match=advice):
            decorate(handler)
    assert not runner.definitions


def test_lambda(runner: Runner) -> None:
    """A lambda cannot annotate its payload, so only a raw handler can be one."""
    with pytest.raises(DefinitionError, match=r"must annotate 'payload'.*write a def"):
        runner.job("mail")(lambda payload, ctx: None)
    runner.raw("raw")(lambda payload, ctx: None)
    assert set(runner.definitions) == {"raw"}


def test_wrapper_and_method(runner: Runner) -> None:
    """A wrapper of a sync function and a bound method are valid handlers."""
    runner.job("method")(Service().send)
    runner.job("wrapped")(logged(Service().send))
    assert set(runner.definitions) == {"method", "wrapped"}


def later(value: int) -> Awaitable[int]:
    """Return a coroutine that is not awaited."""

    async def return_it() -> int:
        return value

    return return_it()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_awaitable_that_is_returned(runner: Runner, asynchronous: bool) -> None:
    """If a handler returns a coroutine, its attempt fails with an error that says it was never awaited."""

    def sync(payload: int, ctx: Context) -> Any:
        return later(payload)

    async def forgets_to_await(payload: int, ctx: Context) -> Any:
        return later(payload)

    job = runner.job("lost", max_attempts=1)(forgets_to_await if asynchronous else sync)
    runner.start()
    with pytest.raises(JobDiscarded, match="never awaited"):
        runner.result(runner.enqueue(job.job(1)), timeout=LONG)


def test_annotations_for_type_checkers_only(runner: Runner) -> None:
    """The context's annotation may be unknown at run time, and a payload's type may be local."""

    class Order(BaseModel):
        number: int

    @runner.job("order")
    def order(payload: "Order", ctx: "OnlyForTypeCheckers") -> "Order":
        return payload

    assert runner.enqueue(order.job(Order(number=7))).record.payload == b'{"number":7}'


@pytest.mark.parametrize("name", ["payload", "return"])
@pytest.mark.parametrize("annotation", ["Nowhere", "list[", "datetime.nowhere"])
def test_annotation_that_cannot_be_resolved(runner: Runner, name: str, annotation: str) -> None:
    """If the annotation of a payload or result cannot be resolved, the error says what to do."""

    def handler(payload: int, ctx: Context) -> None: ...

    handler.__annotations__[name] = annotation
    with pytest.raises(DefinitionError, match="TYPE_CHECKING"):
        runner.job("mail")(handler)
