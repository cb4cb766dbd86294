"""Diagnose a store for `tallystick doctor`, without changing it."""

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
"""The largest acceptable difference between the server's clock and this one: a client's `run_at` is off by as much."""

OLD = timedelta(minutes=5)
"""The age at which an open transaction is reported as old."""


def diagnose(location: Location, concurrency: int | None) -> Iterator[Finding]:
    """Yield findings about the server, the connections and the tables."""
    with closing(connect(location)) as connection:
        yield from _server(connection, location, concurrency)
        yield _oldest_transaction(connection, location)
        yield from doctor_connections.diagnose(connection, location)
        if (finding := _unfit(connection, location)) is not None:
            yield finding
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
    with connection.cursor(binary=True) as cursor:  # text format depends on the session's TimeZone and DateStyle
        row = cursor.execute(location.queries.doctor_server).fetchone()
    after = datetime.now(UTC)
    assert row is not None
    version, isolation, synchronous, read_only, most, free, clock = row
    yield ok("server version", f"PostgreSQL {version}")
    yield (
        fault("read-only", "yes", "connect to the primary, or set default_transaction_read_only to off")
        if read_only
        else ok("read-only", "no")
    )
    yield ok("default isolation", f"{isolation}; the backend itself uses read committed")
    yield (
        warning(
            "synchronous_commit",
            "off",
            "a server crash may lose the latest commits and their jobs; set it to on for this user",
        )
        if synchronous == "off"
        else ok("synchronous_commit", synchronous)
    )
    yield _clock(before, rows.moment(clock), after)
    yield from doctor_connections.room(location.options.pool_size, concurrency, most, free)


def _clock(before: datetime, clock: datetime, after: datetime) -> Finding:
    """Compare the server's clock with this machine's, read before and after it."""
    off = max(before - clock, clock - after, timedelta(0))
    found = f"the server's is {off.total_seconds():.3f} s {'behind' if clock < before else 'ahead'}"
    if off > CLOCK:
        return warning("clock", found, "synchronize both clocks by NTP; until then pass a delay as run_at, not a time")
    return ok("clock", found)


def _oldest_transaction(connection: Connection, location: Location) -> Finding:
    row: Any = connection.execute(location.queries.doctor_transactions).fetchone()
    if row is None:
        return ok("oldest transaction", "none is open")
    pid, application, state, age = row
    found = f"open for {age:,.0f} s: pid {pid}, application {application!r}, {state}"
    if timedelta(seconds=age) < OLD:
        return ok("oldest transaction", found)
    idle = "commit it in its application, set idle_in_transaction_session_timeout"
    return warning(
        "oldest transaction",
        found,
        "vacuum cannot remove rows that it may still read, so claims get slower; "
        + (idle if str(state).startswith("idle in transaction") else "wait until it ends")
        + f", or SELECT pg_terminate_backend({pid})",
    )
