"""Explain why pydantic or the user's code rejected a value, without showing the value."""

from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType

from ..interrupts import from_signal
from .masking import declared_names, has_masked
from .safe_repr import safe_str, type_name

_MOST = 5
"""The maximum number of problems in a message."""

_LONGEST = 500
"""The maximum length of one reason, in characters."""

_CODES = frozenset(get_args(ErrorType))


def reasons(exc: BaseException, adapter: TypeAdapter[Any]) -> str:
    """Return why a value was rejected, in one line.

    For a type with masked fields, the line has only declared names and pydantic's error codes. Validators' messages,
    keys of mappings and tags of unions may contain masked values.
    """
    masked = has_masked(adapter)
    if type(exc) is not ValidationError:
        return (
            f"{type_name(exc)} was raised; the type has masked fields, so its text is hidden" if masked else _text(exc)
        )
    try:
        problems = exc.errors(include_url=False, include_input=False)[:_MOST]
    except BaseException as broken:  # pydantic calls str() of a validator's exception
        if from_signal(broken):
            raise
        return f"a validator raised an error, and its str() raised {type_name(broken)}"
    if masked:
        names = declared_names(adapter)
        return "; ".join(_coded(problem, names) for problem in problems)
    return "; ".join(map(_problem, problems))


def _text(exc: BaseException) -> str:
    text = " ".join(safe_str(exc)[:_LONGEST].split()).removeprefix("Pydantic serializer warnings: ")
    name = type_name(exc)
    return text if name.startswith("pydantic") else f"{name}: {text}"


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    what = problem["msg"][:_LONGEST]
    return f"{where}: {what}" if where else what


def _coded(problem: Any, names: set[str]) -> str:
    where = ".".join(str(part) if isinstance(part, int) or part in names else "*" for part in problem["loc"])
    what = problem["type"] if problem["type"] in _CODES else "rejected by a validator"
    return f"{where}: {what}" if where else what
