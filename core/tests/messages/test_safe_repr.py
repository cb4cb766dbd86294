"""Safe representations of values in messages."""

from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from tallystick.messages.safe_repr import LENGTH, safe_repr, safe_str

RAISED = [Exception, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError, BaseExceptionGroup]


class Model(BaseModel):
    content: Any
    token: SecretStr = SecretStr("hunter2")


@dataclass
class Data:
    content: Any


def nested(depth: int, width: int) -> Any:
    """Return nested lists; with a width above 1, each list contains the same inner list several times."""
    value: Any = 1
    for _ in range(depth):
        value = [value] * width
    return value


def build(raised: type[BaseException]) -> BaseException:
    """Return an exception of the given type."""
    return raised("no", [SystemExit()]) if raised is BaseExceptionGroup else raised("no")


def in_thread(call: Any) -> Any:
    """Call in a thread other than the main one, so that no exception is taken for a signal."""
    results: list[Any] = []
    thread = Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    [result] = results
    return result


@pytest.mark.parametrize("wrap", [lambda value: value, Model.model_construct, Data, lambda value: [value]])
@pytest.mark.parametrize(
    "value",
    [nested(5_000, 1), nested(60, 10), 10**5_000, "x" * 1_000_000, b"x" * 1_000_000, dict.fromkeys(range(10_000))],
    ids=["deep", "wide", "number", "text", "bytes", "dict"],
)
def test_bounded(value: Any, wrap: Any) -> None:
    """A value of any depth, breadth and length is shown in bounded length."""
    shown = wrap(content=value) if wrap == Model.model_construct else wrap(value)
    assert len(safe_repr(shown)) <= LENGTH + 3


@pytest.mark.parametrize("raised", RAISED)
def test_repr_that_raises(raised: type[BaseException]) -> None:
    """A value whose `repr()` raises is shown by its type and the type of the exception."""

    class Hostile:
        def __repr__(self) -> str:
            raise build(raised)

    shown = in_thread(lambda: safe_repr(Hostile()))
    assert "Hostile object, whose repr() raised" in shown
    assert shown.endswith(f"{raised.__name__}>")


def test_class_that_raises() -> None:
    """A value whose `__class__` raises is shown by its type."""

    class Hostile:
        @property  # type: ignore[misc]  # wrong on purpose
        def __class__(self) -> Any:
            raise SystemExit

    assert "Hostile" in in_thread(lambda: safe_repr(Hostile()))


def test_interrupt_in_the_main_thread() -> None:
    """Ctrl-C during a `repr()` in the main thread reaches the caller."""

    class Slow:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        safe_repr(Slow())


def test_masked() -> None:
    """A masked field of a model stays masked."""
    assert safe_repr(Model(content=1)) == "Model(content=1, token=SecretStr('**********'))"


@pytest.mark.parametrize("raised", RAISED)
def test_str_that_raises(raised: type[BaseException]) -> None:
    """The text of an exception whose `str()` raises names the exception that `str()` raised."""

    class Hostile(Exception):
        def __str__(self) -> str:
            raise build(raised)

    shown = in_thread(lambda: safe_str(Hostile()))
    assert shown.startswith(f"<str() of this exception raised {raised.__name__}")
