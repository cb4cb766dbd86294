"""The styles in which drivers take a statement's parameters. Ours are written in psycopg's: `%(name)s::type`."""

import re
from functools import cache
from typing import Literal

from tallystick import InvalidArgument

Style = Literal["pyformat", "named", "numbered"]

_PARAMETER = re.compile(r"%\((?P<name>\w+)\)s(?:::(?P<type>\w+(?:\[\])?))?")


@cache
def named(query: str) -> str:
    """Return a statement with `CAST(:name AS type)` for each parameter: a colon before a type would be one too many."""
    return _PARAMETER.sub(lambda found: _cast(f":{found['name']}", found["type"]), query)


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with `CAST($1 AS type)` for each parameter, and their names in the order of their numbers."""
    names = tuple(dict.fromkeys(found["name"] for found in _PARAMETER.finditer(query)))
    return _PARAMETER.sub(lambda found: _cast(f"${names.index(found['name']) + 1}", found["type"]), query), names


def _cast(parameter: str, type_: str | None) -> str:
    return parameter if type_ is None else f"CAST({parameter} AS {type_})"


def unknown(style: object) -> InvalidArgument:
    """Return the error for a style that there is not."""
    return InvalidArgument(f"style is {style!r}; it must be one of pyformat, named and numbered")
