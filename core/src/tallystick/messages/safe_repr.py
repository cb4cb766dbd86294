"""Show a user's value in a message: bounded in size, and safe if its methods raise."""

import dataclasses
import reprlib
from typing import Any

from ..interrupts import from_signal

LENGTH = 200
"""The maximum number of characters of a value in a message."""

_LONGEST_NUMBER = 1_000


def safe_repr(value: object) -> str:
    """Return `repr(value)` for a message, limited in length, items and depth. Never raises."""
    try:
        text = _exact(_shortener.repr(value))
        return text if len(text) <= LENGTH else f"{text[:LENGTH]}..."
    except BaseException as exc:
        if from_signal(exc):
            raise
        return f"<{type_name(value)} object, whose repr() raised {type_name(exc)}>"


def safe_str(exc: BaseException) -> str:
    """Return `str(exc)`, or a description of the error that it raised. Never raises."""
    try:
        return _exact(str(exc))
    except BaseException as broken:
        if from_signal(broken):
            raise
        return f"<str() of this exception raised {safe_repr(broken)}>"


def type_name(value: object) -> str:
    """Return the qualified name of a value's type. Never raises."""
    try:
        kind = type(value)
        return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")[:LENGTH]
    except BaseException as exc:  # a metaclass may define both names
        if from_signal(exc):
            raise
        return "object"


def _exact(text: str) -> str:
    """Return a plain str. `__str__` and `__repr__` may return a subclass with methods that raise."""
    return "".join((text,))


class _Shortener(reprlib.Repr):
    """Shortens collections, models and dataclasses item by item, so that large and deep values stay cheap."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = LENGTH
        self.maxlevel = 4

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, str | bytes | bytearray):
            return repr(x[: LENGTH + 1])
        return super().repr1(x, level)

    def repr_int(self, x: int, level: int) -> str:
        bits = x.bit_length()
        return repr(x) if bits <= _LONGEST_NUMBER else f"<an int of {bits:,} bits>"

    def repr_instance(self, x: Any, level: int) -> str:
        fields = _fields(x)
        if fields is None:
            return repr(x)[: LENGTH + 1]
        shown = ", ".join(f"{name}={self.repr1(value, level - 1)}" for name, value in fields) if level > 0 else "..."
        return f"{type(x).__name__}({shown})"


def _fields(x: Any) -> list[tuple[str, Any]] | None:
    """Return the fields that the generated repr of a model or a dataclass shows; None for a type with its own repr."""
    from pydantic import BaseModel  # noqa: PLC0415  # the command line shows its help without loading it

    if isinstance(x, BaseModel) and type(x).__repr__ is BaseModel.__repr__:
        shown = {name for name, field in type(x).model_fields.items() if field.repr}
        return [(name, value) for name, value in x.__dict__.items() if name in shown]
    if dataclasses.is_dataclass(x) and not isinstance(x, type) and hasattr(type(x).__repr__, "__wrapped__"):
        return [(field.name, getattr(x, field.name)) for field in dataclasses.fields(x) if field.repr]
    return None


_shortener = _Shortener()
