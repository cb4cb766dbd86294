"""Create, check and remove the schema.

A schema belongs to Tallystick if it has the table `tallystick_migrations`, with one row for each applied migration.
"""

from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import errors
from tallystick import ConfigurationError, ForeignStore, NotSetUp

from . import search
from .connections import Connection, connect
from .errors import mapped, not_set_up
from .location import Location
from .queries import Queries

OLDEST_SERVER = 14


def setup(location: Location) -> None:
    """Create or migrate the store in one transaction; concurrent callers wait, so only one of them does it.

    Then create or drop the optional indexes, outside of a transaction.
    """
    with mapped(location), connect(location) as connection:
        connection.seconds = None  # the migration of a large table may take long
        if (version(connection, location) or 0) < len(location.queries.migrations):
            with connection.transaction():
                _migrate(connection, location)
        search.setup(connection, location)


def _migrate(connection: Connection, location: Location) -> None:
    _lock(connection, location)
    applied = version(connection, location)
    for statement in _missing(location.queries, applied, exists=_exists(connection, location)):
        connection.execute(statement)


def script(queries: Queries) -> str:
    """Return the statements that `setup` executes for a new schema, to run by hand."""
    statements = _missing(queries, None, exists=False)
    return "BEGIN;\n\n" + "".join(f"{text.strip().removesuffix(';')};\n\n" for text in statements) + "COMMIT;\n"


def _missing(queries: Queries, applied: int | None, *, exists: bool) -> Iterator[LiteralString]:
    if not exists:
        yield queries.create_schema
    if applied is None:
        yield queries.create_migrations
    for migration in queries.migrations[applied or 0 :]:
        yield migration
        yield queries.add_migration


def check(connection: Connection, location: Location) -> None:
    """Raise unless the schema has the tables of this version.

    Raises:
        NotSetUp: there is no store, or it has another version.
        ForeignStore: the schema was not created by Tallystick.
    """
    if (version(connection, location) or 0) < len(location.queries.migrations):
        raise not_set_up(location)


def version(connection: Connection, location: Location) -> int | None:
    """Return the number of applied migrations; None if the schema does not exist or is empty."""
    _refuse_old(connection, location)
    if not _exists(connection, location):
        return None
    if not _answer(connection, location.queries.mark):
        if not _answer(connection, location.queries.is_empty):
            raise ForeignStore(
                f"schema {location.schema!r} of {location.shown} was not created by Tallystick (it has no table "
                "tallystick_migrations); nothing was changed. Choose another schema with ?schema="
            )
        return None
    applied = int(_answer(connection, location.queries.version))
    known = len(location.queries.migrations)
    if applied > known:
        raise NotSetUp(
            f"schema {location.schema!r} of {location.shown} has version {applied}, created by a newer "
            f"tallystick-postgres; this one supports versions up to {known}: upgrade it"
        )
    return applied


def teardown(location: Location) -> None:
    """Drop Tallystick's tables and functions, and the schema unless it contains anything else."""
    with mapped(location), connect(location) as connection, connection.transaction():
        _lock(connection, location)
        if version(connection, location) is None:
            return
        connection.execute(location.queries.drop)
        try:
            with connection.transaction():
                connection.execute(location.queries.drop_schema)
        except (errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
            return  # it is not empty, or belongs to another user


def _lock(connection: Connection, location: Location) -> None:
    connection.execute(location.queries.lock, {"channel": location.channel})


def _exists(connection: Connection, location: Location) -> bool:
    return bool(_answer(connection, location.queries.find_schema, name=location.schema))


def _answer(connection: Connection, query: LiteralString, **parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


def _refuse_old(connection: Connection, location: Location) -> None:
    major = connection.info.server_version // 10_000
    if major < OLDEST_SERVER:
        raise ConfigurationError(f"{location.shown} is PostgreSQL {major}; Tallystick needs {OLDEST_SERVER} or later")
