"""Why pydantic, or the user's code that it called, rejected a value: locations and reasons, without the value."""

from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType

from .interrupts import from_signal
from .masking import declared_names, has_masked
from .safe_repr import safe_str, type_name

_MOST = 5
"""How many problems one message lists."""

_LONGEST = 500
"""The most characters of one reason."""

_CODES = frozenset(get_args(ErrorType))


def reasons(exc: BaseException, adapter: TypeAdapter[Any]) -> str:
    """Return why a value was rejected, in one line.

    Where the type has masked fields, only declared names and pydantic's codes are shown: the messages of validators,
    the keys of mappings and the tags of unions may hold what is masked.
    """
    masked = has_masked(adapter)
    if type(exc) is not ValidationError:
        return f"{type_name(exc)} was raised; the type has masked fields, so no more is shown" if masked else _said(exc)
    try:
        problems = exc.errors(include_url=False, include_input=False)[:_MOST]
    except BaseException as broken:  # pydantic makes the text of what a validator raised
        if from_signal(broken):
            raise
        return f"a validator's error has no text: {type_name(broken)} was raised"
    if masked:
        names = declared_names(adapter)
        return "; ".join(_coded(problem, names) for problem in problems)
    return "; ".join(map(_problem, problems))


def _said(exc: BaseException) -> str:
    said = " ".join(safe_str(exc)[:_LONGEST].split()).removeprefix("Pydantic serializer warnings: ")
    name = type_name(exc)
    return said if name.startswith("pydantic") else f"{name}: {said}"


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    what = problem["msg"][:_LONGEST]
    return f"{where}: {what}" if where else what


def _coded(problem: Any, names: set[str]) -> str:
    where = ".".join(str(part) if isinstance(part, int) or part in names else "*" for part in problem["loc"])
    what = problem["type"] if problem["type"] in _CODES else "rejected by a validator"
    return f"{where}: {what}" if where else what
