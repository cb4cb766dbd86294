"""The statement that stores jobs, for those who execute it by a driver of their own."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, overload

from tallystick import InvalidArgument, NewRecord

from . import inserting, paramstyle
from .location import schema_name
from .paramstyle import Style
from .queries import Queries


@overload
def insert_statement(
    records: Sequence[NewRecord],
    *,
    schema: str = ...,
    now: datetime | None = ...,
    style: Literal["pyformat", "named"] = ...,
) -> tuple[str, dict[str, Any]]: ...
@overload
def insert_statement(
    records: Sequence[NewRecord], *, schema: str = ..., now: datetime | None = ..., style: Literal["numbered"]
) -> tuple[str, list[Any]]: ...
def insert_statement(
    records: Sequence[NewRecord], *, schema: str = "tallystick", now: datetime | None = None, style: Style = "pyformat"
) -> tuple[str, dict[str, Any] | list[Any]]:
    """Return the one statement that stores new jobs, and its parameters; execute it in a transaction of your own.

    It leaves out a job whose id is stored already or whose unique key is held, and returns a row (id, created_at,
    run_at) for each that it stored, in no order. Triggers do the rest: counts, and waking workers at the commit.

    Args:
        records: The jobs. All of a batch go in one message to the server, which takes up to a gigabyte.
        schema: The store's schema: the URL's `?schema=`.
        now: The moment to store them by; None is the server's clock.
        style: `pyformat` is psycopg's and psycopg2's `%(name)s`, `named` SQLAlchemy's `:name` (in `text(...)`), and
            `numbered` asyncpg's `$1`; the parameters are a dict, or for `numbered` a list.

    Raises:
        InvalidArgument, PayloadTooLarge: as `insert` does.
    """
    try:
        queries = _queries(schema_name(schema))
    except ValueError as exc:
        raise InvalidArgument(f"schema is {schema!r}: {exc}") from exc
    now = inserting.check(records, now)
    parameters = {"now": now, **inserting.columns(records)}
    match style:
        case "pyformat":
            return queries.insert, parameters
        case "named":
            return paramstyle.named(queries.insert), parameters
        case "numbered":
            query, names = paramstyle.numbered(queries.insert)
            return query, [parameters[name] for name in names]
        case _:
            raise paramstyle.unknown(style)


@cache
def _queries(schema: str) -> Queries:
    return Queries(schema)
