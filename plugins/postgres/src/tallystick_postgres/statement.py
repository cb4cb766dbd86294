"""Build the statement that inserts jobs, for callers that execute it with another driver."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, overload

from tallystick import InvalidArgument, NewRecord
from tallystick.backends import calls

from . import inserting, paramstyle
from .capabilities import CAPABILITIES
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
    """Return the statement that inserts new jobs, and its parameters, to execute in your own transaction.

    The statement skips a job if its id is already stored or another job holds its unique key, even for a time that has
    passed. For each job that it stores it returns a row (id, created_at, run_at), in no particular order. Triggers
    update the counts, and wake the workers at the commit.

    Args:
        records: The jobs. All of them are sent in one message, which PostgreSQL limits to one gigabyte.
        schema: The store's schema: the URL's `?schema=`.
        now: The time of the insert; None is the server's clock.
        style: The style of the parameters. `pyformat` is `%(name)s`, for psycopg and psycopg2. `named` is `:name`, for
            `text(...)` of SQLAlchemy. `numbered` is `$1`, for asyncpg: the parameters are then a list, else a dict.

    Raises:
        InvalidArgument, PayloadTooLarge: as `insert` does. Also if `on_conflict` is not `skip`.
    """
    try:
        queries = _queries(schema_name(schema))
    except ValueError as exc:
        raise InvalidArgument(f"schema is {schema!r}: {exc}") from exc
    call = calls.insert(records, CAPABILITIES, now=now)
    for record in call.records:
        if record.on_conflict != "skip":
            raise InvalidArgument(
                f"on_conflict is {record.on_conflict!r}; it must be 'skip' in your own statement. For other policies, "
                "call insert with transaction="
            )
    parameters = {"now": call.given, **inserting.columns(records)}
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
