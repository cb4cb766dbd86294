"""Check that results have the declared types: values of different types may still compare equal."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tallystick import AttemptError, Meter, Progress, Record, Schedule, Stats, WorkerInfo

_ANSWERS: Mapping[str, type] = {
    "insert": Sequence, "claim": Sequence, "extend": Sequence, "report_progress": Sequence, "settle": Sequence,
    "rescue": Sequence, "get": dict,
    "list": Sequence, "count": int, "stats": Stats, "cancel": Sequence, "requeue": Sequence, "delete": Sequence,
    "update": Sequence, "purge": int, "restore": Sequence, "queues": Sequence, "put_schedules": Sequence,
    "schedules": Sequence, "due_schedules": Sequence, "advance": Sequence, "remove_schedules": Sequence,
    "workers": Sequence, "meters": Sequence, "wait": bool,
}  # fmt: skip


class IllTyped(TypeError):
    """A call returned a value of the wrong type."""


def require_answer(method: str, answer: object) -> None:
    """Raise IllTyped if a result does not have the type that its method declares."""
    kind = _ANSWERS.get(method, object)
    if not isinstance(answer, kind):
        raise IllTyped(f"{method} returned {answer!r}, not a {kind.__name__}")


def _kinds(hint: object) -> tuple[type, ...]:
    """Return the classes of a type hint."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return tuple(kind for argument in get_args(hint) for kind in _kinds(argument))
    if origin is Literal:
        return (str,)
    kind = origin or hint
    return (kind,) if isinstance(kind, type) else ()


_TYPES: tuple[type[Any], ...] = (Record, AttemptError, Progress, Schedule, WorkerInfo, Meter)
_FIELDS = {of: {name: _kinds(hint) for name, hint in get_type_hints(of).items()} for of in _TYPES}


def flaws(value: Record | Schedule | WorkerInfo | Meter | AttemptError | Progress) -> list[str]:
    """Return the names of fields with the wrong type, or with a datetime that is not in UTC."""
    kinds = _FIELDS.get(type(value))
    if kinds is None:
        return [f"a value of type {type(value).__name__}"]
    wrong = [name for name, field in value._asdict().items() if not _is_one_of(field, kinds[name])]
    entries = value.errors if isinstance(value, Record) and "errors" not in wrong else ()
    wrong += [f"errors: {flaw}" for entry in entries for flaw in flaws(entry)]
    if isinstance(value, Record) and value.progress is not None and "progress" not in wrong:
        wrong += [f"progress: {flaw}" for flaw in flaws(value.progress)]
    return wrong


def _is_one_of(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, datetime):
        return datetime in kinds and value.utcoffset() == timedelta(0)
    return isinstance(value, kinds)
