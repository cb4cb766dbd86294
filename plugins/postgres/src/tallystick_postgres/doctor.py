"""How a store is: what `tallystick doctor` shows. It changes nothing."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import Finding, NotSetUp
from tallystick.diagnostics import fault, ok, warning

from . import doctor_connections, doctor_tables, rows, schema
from .connections import Connection, connect
from .location import Location

CLOCK = timedelta(seconds=1)
"""How far apart the clocks of server and client may be: a `run_at` of a client's making is off by as much."""

OLD = timedelta(minutes=5)
"""For how long a transaction may be open."""


def diagnose(location: Location, concurrency: int | None) -> Iterator[Finding]:
    """Yield what there is to say of a store."""
    with closing(connect(location)) as connection:
        yield from _server(connection, location, concurrency)
        yield _oldest_transaction(connection, location)
        yield from doctor_connections.diagnose(connection, location)
        if (trouble := _unfit(connection, location)) is not None:
            yield trouble
            return
        known = len(location.queries.migrations)
        yield ok("schema version", f"{known} of {known}")
        yield from doctor_tables.diagnose(connection, location)


def _unfit(connection: Connection, location: Location) -> Finding | None:
    try:
        schema.check(connection, location)
    except NotSetUp as exc:
        return fault("schema version", str(exc), "run `tallystick setup` with this URL, or upgrade tallystick-postgres")
    return None


def _server(connection: Connection, location: Location, concurrency: int | None) -> Iterator[Finding]:
    before = datetime.now(UTC)
    with connection.cursor(binary=True) as cursor:  # as text, a moment depends on the session's zone and style
        row = cursor.execute(location.queries.doctor_server).fetchone()
    after = datetime.now(UTC)
    assert row is not None
    version, isolation, synchronous, read_only, most, free, clock = row
    yield ok("server version", f"PostgreSQL {version}")
    yield (
        fault("read-only", "the server or the database is", "connect to the primary, or set it to be written to")
        if read_only
        else ok("read-only", "no")
    )
    yield ok("default isolation", f"{isolation}; a backend's own transactions are read committed all the same")
    yield (
        warning(
            "synchronous_commit",
            "off",
            "a crash of the server may undo the latest commits, and jobs with them; set it to on for this user",
        )
        if synchronous == "off"
        else ok("synchronous_commit", synchronous)
    )
    yield _clock(before, rows.moment(clock), after)
    yield from doctor_connections.room(location.options.pool_size, concurrency, most, free)


def _clock(before: datetime, clock: datetime, after: datetime) -> Finding:
    """Compare clocks: the server's was read at some moment between two of ours."""
    off = max(before - clock, clock - after, timedelta(0))
    found = f"the server's is {off.total_seconds():.3f} s {'behind' if clock < before else 'ahead'}"
    if off > CLOCK:
        return warning("clock", found, "keep both in time by NTP; until then give delays, not moments, as run_at")
    return ok("clock", found)


def _oldest_transaction(connection: Connection, location: Location) -> Finding:
    row: Any = connection.execute(location.queries.doctor_transactions).fetchone()
    if row is None:
        return ok("oldest transaction", "none is open")
    pid, application, state, age = row
    found = f"open for {age:,.0f} s: pid {pid}, application {application!r}, {state}"
    if timedelta(seconds=age) < OLD:
        return ok("oldest transaction", found)
    why = "it waits for its application, which should commit: set idle_in_transaction_session_timeout"
    return warning(
        "oldest transaction",
        found,
        "vacuum cannot remove the rows that it may see, and claims get slower; "
        + (why if str(state).startswith("idle in transaction") else "let it end")
        + f", or SELECT pg_terminate_backend({pid})",
    )
