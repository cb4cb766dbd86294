"""Check that results have the declared types: values of different types may still compare equal."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from tallystick import Record, Stats

_ANSWERS: Mapping[str, type] = {
    "insert": Sequence, "claim": Sequence, "extend": Sequence, "settle": Sequence, "rescue": Sequence, "get": dict,
    "list": Sequence, "stats": Stats, "cancel": Sequence, "requeue": Sequence, "delete": Sequence, "purge": int,
    "queues": Sequence, "wait": bool,
}  # fmt: skip


class IllTyped(TypeError):
    """A call returned a value of the wrong type."""


def require_answer(method: str, answer: object) -> None:
    """Raise IllTyped if a result does not have the type that its method declares."""
    kind = _ANSWERS.get(method, object)
    if not isinstance(answer, kind):
        raise IllTyped(f"{method} returned {answer!r}, not a {kind.__name__}")


def _kinds(hint: object) -> tuple[type, ...]:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return tuple(kind for argument in get_args(hint) for kind in _kinds(argument))
    if origin is Literal:
        return (str,)
    kind = origin or hint
    return (kind,) if isinstance(kind, type) else ()


_FIELDS = {name: _kinds(hint) for name, hint in get_type_hints(Record).items()}


def flaws(record: Record) -> list[str]:
    """Return the names of fields with the wrong type, or with a datetime that is not in UTC."""
    return [name for name, value in record._asdict().items() if not _is_one_of(value, _FIELDS[name])]


def _is_one_of(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, datetime):
        return datetime in kinds and value.utcoffset() == timedelta(0)
    return isinstance(value, kinds)
