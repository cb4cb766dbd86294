"""Render values and calls as short lines of Python, for the program of a violation."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import singledispatch
from itertools import islice
from typing import Any
from uuid import UUID

from tallystick import Record

_ITEMS, _BYTES = 12, 48
"""How many items of a sequence are shown, and how many bytes or characters before a value is shortened."""


def call(method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Render a call of a backend; `at` stands for `datetime.fromisoformat`."""
    return f"backend.{method}({', '.join([*map(render, args), *_assignments(kwargs)])})"


def differences(expected: object, observed: object) -> tuple[str, str]:
    """Render an expected and an observed value; strings are phrases, and two versions of a record show differences."""
    if not (isinstance(expected, Record) and isinstance(observed, Record) and expected.id == observed.id):
        return _phrase(expected), _phrase(observed)
    should, does = expected._asdict(), observed._asdict()
    wrong = [name for name in should if should[name] != does[name]]
    prefix = f"the record {expected.id} with "
    return prefix + _only(should, wrong), prefix + _only(does, wrong)


def _phrase(value: object) -> str:
    return value if isinstance(value, str) else render(value)


def _only(values: Mapping[str, object], names: list[str]) -> str:
    return ", ".join(_assignments({name: values[name] for name in names}))


def _assignments(values: Mapping[str, object]) -> list[str]:
    return [f"{name}={render(value)}" for name, value in values.items()]


@singledispatch
def render(value: object) -> str:
    """Render a value; omit the fields of a dataclass that have their default."""
    if not is_dataclass(value):
        return repr(value)
    values = {field.name: (getattr(value, field.name), field.default) for field in fields(value)}
    shown = {name: item for name, (item, default) in values.items() if default is MISSING or item != default}
    return f"{type(value).__name__}({', '.join(_assignments(shown))})"


@render.register
def _(value: datetime) -> str:
    return f'at("{value.isoformat()}")'


@render.register
def _(value: timedelta) -> str:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return f"timedelta({', '.join(f'{unit}={n}' for unit, n in parts.items() if n)})"


@render.register
def _(value: UUID) -> str:
    return f'UUID("{value}")'


@render.register(Enum)
@render.register(StrEnum)
def _(value: Enum) -> str:
    return f"{type(value).__name__}.{value.name}"


@render.register(bytes)
@render.register(str)
def _(value: bytes | str) -> str:
    return repr(value) if len(value) <= _BYTES else f"{value[:_ITEMS]!r}... ({len(value):,} long)"


@render.register(list)
@render.register(set)
def _(value: list[object] | set[object]) -> str:
    return f"[{row(value)}]"


@render.register
def _(value: dict) -> str:  # type: ignore[type-arg] # the registry needs the bare class
    return f"{{{', '.join(f'{render(key)}: {render(item)}' for key, item in value.items())}}}"


@render.register
def _(value: tuple) -> str:  # type: ignore[type-arg] # the registry needs the bare class
    if hasattr(value, "_asdict"):
        return f"{type(value).__name__}({', '.join(_assignments(value._asdict()))})"
    return f"({row(value)}{',' if len(value) == 1 else ''})"


def row(values: Any, shown: Callable[[Any], str] = render) -> str:
    """Render the first values in one line, and their number if there are more."""
    first = [shown(value) for value in islice(values, _ITEMS)]
    return ", ".join(first) + (f", ... {len(values):,} in all" if len(values) > len(first) else "")
