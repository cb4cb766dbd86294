from datetime import timedelta
from typing import Any, ClassVar

import pytest
from tallystick import (
    Context,
    Definition,
    DefinitionError,
    Fixed,
    InvalidArgument,
    InvalidPayload,
    InvalidResult,
    Job,
    Options,
)
from tallystick.jobs.options import OPTION_NAMES, OptionArgs

from ..helpers import SECOND, stored


class Double(Job[int]):
    """A job written as a class."""

    kind = "double"
    queue = "numbers"
    priority = 3
    max_attempts = 2
    retry = Fixed(SECOND)
    timeout = timedelta(minutes=1)
    tags = ("a", "b")

    number: int

    def work(self, ctx: Context) -> int:
        """Return twice the number."""
        return 2 * self.number


def context() -> Context:
    """Return a context for calling a handler directly."""
    return Context(stored())


def define(function: Any) -> Definition[Any, Any]:
    """Define a function as a job."""
    return Definition.of_function("echo", function, Options())


def test_class_attributes_are_options() -> None:
    """The class attributes of a job are its options."""
    definition = Definition.of_class(Double)
    assert definition.kind == "double"
    assert definition.options == Options(
        queue="numbers",
        priority=3,
        max_attempts=2,
        retry=Fixed(SECOND),
        timeout=timedelta(minutes=1),
        tags=("a", "b"),
    )


def test_defaults() -> None:
    """A class that sets no options gets the defaults."""

    class Plain(Job[None]):
        kind = "plain"

        def work(self, ctx: Context) -> None: ...

    assert Definition.of_class(Plain).options == Options()
    assert (Options().max_attempts, Options().retry, Options().timeout) == (None, None, None)


def test_same_options_everywhere() -> None:
    """The keyword arguments of a decorator and the attributes of a Job class are the fields of Options."""
    assert set(OptionArgs.__annotations__) == set(OPTION_NAMES)
    assert set(Job.__annotations__) == {"kind", *OPTION_NAMES}


def test_handler_is_called_as_it_was() -> None:
    """A definition can be called as the plain function, without a runner."""

    def triple(number: int, ctx: Context) -> int:
        return 3 * number

    definition = define(triple)
    assert definition(2, context()) == 6


def test_types_are_the_annotations() -> None:
    """A function's annotations are the types of its payload and its result."""

    def shorten(number: float, ctx: Context) -> int:
        return int(number)

    definition = define(shorten)
    assert definition.decode(b"1.5") == 1.5
    assert definition.decode_result(definition.encode_result(1)) == 1
    with pytest.raises(InvalidPayload, match="payload of 'echo'"):
        definition.encode("text")
    with pytest.raises(InvalidResult, match="result of 'echo'"):
        definition.encode_result("text")


def test_no_result() -> None:
    """A result of None is stored as no bytes, and read back as None."""

    def silent(payload: None, ctx: Context) -> None: ...

    definition = define(silent)
    assert definition.encode_result(None) is None
    assert definition.decode_result(None) is None


def test_async_is_seen() -> None:
    """Async functions and async `work` methods are recognized."""

    async def slow(payload: None, ctx: Context) -> None: ...

    class Slow(Job[None]):
        kind = "slow"

        async def work(self, ctx: Context) -> None: ...

    assert define(slow).is_async
    assert Definition.of_class(Slow).is_async
    assert not Definition.of_class(Double).is_async


def test_raw_passes_bytes() -> None:
    """A raw job accepts and returns any bytes unchanged, and rejects other types."""

    def raw(payload: bytes, ctx: Context) -> bytes:
        return payload

    definition = Definition.raw("raw", raw, Options())
    assert definition.decode(definition.encode(b"\xff\0")) == b"\xff\0"
    assert definition.decode_result(definition.encode_result(b"\xff\0")) == b"\xff\0"
    with pytest.raises(InvalidPayload, match="bytes, not str"):
        definition.encode("text")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidResult, match="bytes, not int"):
        definition.encode_result(1)  # type: ignore[arg-type]  # wrong on purpose


def one_argument(payload: int) -> None: ...
def three_arguments(payload: int, ctx: Context, more: int) -> None: ...
def by_keyword(payload: int, *, ctx: Context) -> None: ...
def unannotated(payload, ctx: Context) -> None: ...  # type: ignore[no-untyped-def]  # invalid on purpose
def unresolvable(payload: "Nowhere", ctx: Context) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # invalid on purpose


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (one_argument, "two arguments"),
        (three_arguments, "two arguments"),
        (by_keyword, "two arguments"),
        (unannotated, "must annotate 'payload'"),
        (unresolvable, "Nowhere"),
    ],
)
def test_bad_function(function: object, problem: str) -> None:
    """Registering a function with a wrong signature or an unusable payload type fails."""
    with pytest.raises(DefinitionError, match=problem):
        define(function)


def test_class_without_work() -> None:
    """A class without a `work` method is rejected."""

    class Idle(Job[None]):
        kind = "idle"

    with pytest.raises(DefinitionError, match="Idle has no work method"):
        Definition.of_class(Idle)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("queue", ""),
        ("priority", 2**15),
        ("max_attempts", 0),
        ("timeout", timedelta(0)),
        ("timeout", 30),
        ("tags", "urgent"),
    ],
)
def test_bad_option(option: str, value: object) -> None:
    """An invalid option is rejected, and the error names it."""
    with pytest.raises(InvalidArgument, match=option):
        Options(**{option: value})  # type: ignore[arg-type]  # wrong on purpose


def test_bad_class_attribute() -> None:
    """Registering a class with an invalid class attribute fails."""

    class Eager(Job[None]):
        kind = "eager"
        max_attempts: ClassVar[int] = 0

        def work(self, ctx: Context) -> None: ...

    with pytest.raises(InvalidArgument, match="max_attempts"):
        Definition.of_class(Eager)


def test_bad_kind() -> None:
    """A kind that no store would accept is rejected."""

    def echo(payload: int, ctx: Context) -> None: ...

    with pytest.raises(InvalidArgument, match="kind is"):
        Definition.of_function("a\nb", echo, Options())
