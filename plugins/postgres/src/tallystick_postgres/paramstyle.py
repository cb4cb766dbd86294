"""Convert the parameters of a statement from psycopg's style, `%(name)s::type`, to those of other drivers."""

import re
from functools import cache
from typing import Literal

from tallystick import InvalidArgument

Style = Literal["pyformat", "named", "numbered"]

_PARAMETER = re.compile(r"%\((?P<name>\w+)\)s(?:::(?P<type>\w+(?:\[\])?))?")


@cache
def named(query: str) -> str:
    """Return a statement with `CAST(:name AS type)` for each parameter; the `::` of a type would clash with `:name`."""
    return _PARAMETER.sub(lambda found: _cast(f":{found['name']}", found["type"]), query)


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with `CAST($1 AS type)` for each parameter, and the parameters' names in order."""
    names = tuple(dict.fromkeys(found["name"] for found in _PARAMETER.finditer(query)))
    return _PARAMETER.sub(lambda found: _cast(f"${names.index(found['name']) + 1}", found["type"]), query), names


def _cast(parameter: str, type_: str | None) -> str:
    return parameter if type_ is None else f"CAST({parameter} AS {type_})"


def unknown(style: object) -> InvalidArgument:
    """Return the error for an unknown style."""
    return InvalidArgument(f"style is {style!r}; it must be pyformat, named or numbered")
