"""Making the schema, knowing it again, and removing it.

A schema is ours when it has the table `windlass_migrations`, whose lines are the migrations that were applied.
"""

from collections.abc import Iterator
from importlib.resources import files

from psycopg import errors
from windlass import ConfigurationError, ForeignStore, NotSetUp

from .connections import Connection, connect, text
from .errors import mapped, not_set_up
from .location import Location
from .queries import quoted

MIGRATIONS = tuple(
    file.read_text("utf-8")
    for file in sorted((files(__package__) / "migrations").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".sql")
)
"""Each brings the schema from the version that is its index to the next."""

OLDEST_SERVER = 14

_CREATE_LEDGER = """\
CREATE TABLE {schema}.windlass_migrations (
    version    integer     NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT statement_timestamp()
)"""

_IS_EMPTY = """\
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = %(schema)s::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = %(schema)s::regnamespace)"""

_OURS = (
    "TABLE {schema}.jobs",
    "TABLE {schema}.counts",
    "TABLE {schema}.paused_queues",
    "TABLE {schema}.windlass_migrations",
    "FUNCTION {schema}.jobs_inserted()",
    "FUNCTION {schema}.jobs_updated()",
    "FUNCTION {schema}.jobs_deleted()",
    "FUNCTION {schema}.wake(text)",
)


def setup(location: Location) -> None:
    """Create or migrate the store, all or nothing; one of those who do so at once does it, the others wait."""
    with mapped(location), connect(location) as connection:
        _refuse_old(connection)
        if version(connection, location) == len(MIGRATIONS):
            return
        connection.rollback()
        _lock(connection, location)
        for statement in _missing(version(connection, location), location, exists=_exists(connection, location)):
            connection.execute(text(statement))


def script(location: Location) -> str:
    """Return what `setup` would execute on a server that has nothing, for people who run it themselves."""
    return "".join(f"{statement.strip().rstrip(';')};\n\n" for statement in _missing(None, location, exists=False))


def _missing(version: int | None, location: Location, *, exists: bool) -> Iterator[str]:
    schema = quoted(location.schema)
    if not exists:
        yield f"CREATE SCHEMA {schema}"
    if version is None:
        yield _CREATE_LEDGER.replace("{schema}", schema)
    for number, migration in enumerate(MIGRATIONS[version or 0 :], start=(version or 0) + 1):
        yield migration.replace("{schema}", schema).replace("{channel}", f"'{location.channel}'")
        yield f"INSERT INTO {schema}.windlass_migrations (version) VALUES ({number})"


def check(connection: Connection, location: Location) -> None:
    """Refuse a schema that is not ours, or not of this version.

    Raises:
        NotSetUp: there is none, or it has another version.
        ForeignStore: it is not ours.
    """
    _refuse_old(connection)
    if (version(connection, location) or 0) < len(MIGRATIONS):
        raise not_set_up(location)


def version(connection: Connection, location: Location) -> int | None:
    """Return how many migrations were applied; None where there is no schema, or an empty one."""
    schema = quoted(location.schema)
    if not _exists(connection, location):
        return None
    [found] = _row(connection, "SELECT to_regclass(%(table)s)::text", table=f"{schema}.windlass_migrations")
    if found is None:
        [empty] = _row(connection, _IS_EMPTY, schema=schema)
        if not empty:
            raise ForeignStore(
                f"schema {location.schema!r} of {location.shown} was not made by Windlass (it has no table "
                "windlass_migrations); it was left as it was. Name another with ?schema="
            )
        return None
    [applied] = _row(connection, f"SELECT coalesce(max(version), 0) FROM {schema}.windlass_migrations")
    if applied > len(MIGRATIONS):
        raise NotSetUp(
            f"schema {location.schema!r} of {location.shown} has version {applied}, made by a newer windlass-postgres; "
            f"this one knows those up to {len(MIGRATIONS)}: upgrade it"
        )
    return int(applied)


def teardown(location: Location) -> None:
    """Remove our tables and functions; and the schema, unless it has others."""
    with mapped(location), connect(location) as connection:
        _lock(connection, location)
        if version(connection, location) is None:
            return
        for thing in _OURS:
            connection.execute(text(f"DROP {thing.replace('{schema}', quoted(location.schema))}"))
        try:
            with connection.transaction():
                connection.execute(text(f"DROP SCHEMA {quoted(location.schema)}"))
        except (errors.DependentObjectsStillExist, errors.InsufficientPrivilege):
            return  # it is not empty, or was made by another, for us to use


def _lock(connection: Connection, location: Location) -> None:
    """Wait until nobody else changes the schema; given up at the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (location.channel,))


def _exists(connection: Connection, location: Location) -> bool:
    [exists] = _row(
        connection, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(name)s)", name=location.schema
    )
    return bool(exists)


def _row(connection: Connection, query: str, **parameters: object) -> tuple[object, ...]:
    row = connection.execute(text(query), parameters).fetchone()
    assert row is not None
    return row


def _refuse_old(connection: Connection) -> None:
    number = connection.info.server_version
    if number < OLDEST_SERVER * 10_000:
        raise ConfigurationError(
            f"the server is PostgreSQL {number // 10_000}; Windlass needs {OLDEST_SERVER} or later"
        )
