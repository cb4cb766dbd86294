"""Making the schema, knowing it again, and removing it.

A schema is ours when it has the table `tallystick_migrations`, whose lines are the migrations that were applied.
"""

from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import errors
from tallystick import ConfigurationError, ForeignStore, NotSetUp

from .connections import Connection, connect
from .errors import mapped, not_set_up
from .location import Location
from .queries import Queries

OLDEST_SERVER = 14


def setup(location: Location) -> None:
    """Create or migrate the store, all or nothing; of those who do so at once one does it, and the others wait."""
    with mapped(location), connect(location) as connection:
        connection.seconds = None  # to migrate a large table takes its time
        if (version(connection, location) or 0) < len(location.queries.migrations):
            with connection.transaction():
                _migrate(connection, location)


def _migrate(connection: Connection, location: Location) -> None:
    _lock(connection, location)
    applied = version(connection, location)
    for statement in _missing(location.queries, applied, exists=_exists(connection, location)):
        connection.execute(statement)


def script(queries: Queries) -> str:
    """Return what `setup` executes where there is nothing yet, for people who run it themselves."""
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
    """Refuse a schema that does not have the tables of this version.

    Raises:
        NotSetUp: there is none, or it has another version.
        ForeignStore: it is not ours.
    """
    if (version(connection, location) or 0) < len(location.queries.migrations):
        raise not_set_up(location)


def version(connection: Connection, location: Location) -> int | None:
    """Return how many migrations were applied; None where there is no schema, or an empty one."""
    _refuse_old(connection, location)
    if not _exists(connection, location):
        return None
    if not _answer(connection, location.queries.find_migrations):
        if not _answer(connection, location.queries.is_empty):
            raise ForeignStore(
                f"schema {location.schema!r} of {location.shown} was not made by Tallystick (it has no table "
                "tallystick_migrations); it was left as it was. Name another one with ?schema="
            )
        return None
    applied = int(_answer(connection, location.queries.version))
    known = len(location.queries.migrations)
    if applied > known:
        raise NotSetUp(
            f"schema {location.schema!r} of {location.shown} has version {applied}, made by a newer "
            f"tallystick-postgres; this one knows those up to {known}: upgrade it"
        )
    return applied


def teardown(location: Location) -> None:
    """Remove our tables and functions; and the schema, unless it has others."""
    with mapped(location), connect(location) as connection, connection.transaction():
        _lock(connection, location)
        if version(connection, location) is None:
            return
        connection.execute(location.queries.drop)
        try:
            with connection.transaction():
                connection.execute(location.queries.drop_schema)
        except (errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
            return  # it is not empty, or was made for us by another


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
