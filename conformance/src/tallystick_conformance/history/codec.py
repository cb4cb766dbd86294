"""Encode a history as JSON: a value without a JSON type becomes an object with one key, the name of its type."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import tallystick
from tallystick import Meta, errors

from .operation import Operation

_MICROSECOND = timedelta(microseconds=1)

_MAKE: dict[str, Callable[[Any], Any]] = {
    "bytes": b64decode,
    "at": datetime.fromisoformat,
    "microseconds": lambda value: timedelta(microseconds=value),
    "uuid": UUID,
    "tuple": lambda items: tuple(map(decoded, items)),
    "map": lambda pairs: {decoded(key): decoded(value) for key, value in pairs},
    "meta": lambda pairs: Meta(dict(pairs)),
    "error": lambda parts: _error(*parts),
}


def encoded(value: Any) -> Any:  # noqa: PLR0911 - one return for each type
    """Encode a value as JSON data. Text keeps NUL and lone surrogates, which JSON escapes."""
    match value:
        case Enum():
            return {type(value).__name__: value.value}
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return {"bytes": b64encode(value).decode()}
        case datetime():
            return {"at": value.isoformat()}
        case timedelta():
            return {"microseconds": value // _MICROSECOND}
        case UUID():
            return {"uuid": str(value)}
        case BaseException():
            return {"error": [type(value).__name__, str(value)]}
        case Meta():
            return {"meta": list(value.items())}
        case Mapping():
            return {"map": [[encoded(key), encoded(item)] for key, item in value.items()]}
    if hasattr(value, "_asdict"):
        return {type(value).__name__: {name: encoded(item) for name, item in value._asdict().items()}}
    if is_dataclass(value):
        return {type(value).__name__: {field.name: encoded(getattr(value, field.name)) for field in fields(value)}}
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    return [encoded(item) for item in value] if isinstance(value, list | set | frozenset) else repr(value)


def decoded(value: Any) -> Any:
    """Decode the data from `encoded`. Sequences become lists, and unknown errors become `RuntimeError`."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((name, of),) = value.items()
    if name in _MAKE:
        return _MAKE[name](of)
    made: Any = Operation if name == "Operation" else getattr(tallystick, name)
    return made(**{key: decoded(item) for key, item in of.items()}) if isinstance(of, dict) else made(of)


def _error(name: str, message: str) -> BaseException:
    made = getattr(errors, name, None)
    return made(message) if made is not None else RuntimeError(f"{name}: {message}")
