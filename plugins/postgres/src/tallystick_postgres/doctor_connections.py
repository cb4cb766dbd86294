"""How a server is reached: room for connections, a pooler between, and whether messages arrive."""

from collections.abc import Iterator
from contextlib import closing
from math import ceil
from uuid import uuid4

from tallystick import Finding
from tallystick.diagnostics import fault, ok, warning

from .connections import Connection, connect
from .location import Location

THREADS = 4
"""How many threads of a worker use the store: those that claim, settle, extend leases and maintain."""

HANDLERS = 20
"""How many handlers can share a connection, each for the moment of an enqueue."""

_ARRIVAL_SECONDS = 5.0


def room(pool_size: int, concurrency: int | None, most: int, free: int) -> Iterator[Finding]:
    """Compare the pool with what a worker needs, and with what the server still lets in."""
    wanted = THREADS + ceil((concurrency or 0) / HANDLERS)
    found = f"pool_size is {pool_size}" + (f", concurrency {concurrency}" if concurrency else "")
    if pool_size < wanted:
        yield warning(
            "pool size",
            found,
            f"write ?pool_size={wanted}: {THREADS} for the worker's own threads, and one for {HANDLERS} handlers that "
            "enqueue; with fewer they wait for each other",
        )
    else:
        yield ok("pool size", found)
    found = f"{max(free, 0)} of max_connections = {most} are free"
    if free < pool_size + 1:
        yield warning(
            "free connections",
            found,
            f"another process may open {pool_size + 1}; raise max_connections, lower pool_size, or put a PgBouncer "
            "between",
        )
    else:
        yield ok("free connections", found)


def diagnose(connection: Connection, location: Location) -> Iterator[Finding]:
    """Look for a pooler, and try whether a message arrives."""
    pooled = _session(connection, location) != connection.info.backend_pid  # a pooler makes its own
    moves = pooled and _moves(connection, location)
    notify = location.options.notify
    if not pooled:
        yield ok("pooler", "none is between")
    elif not moves:
        yield ok("pooler", "one is between; each connection keeps its session")
    elif notify:
        yield fault(
            "pooler",
            "one is between, and pools transactions (PgBouncer's pool_mode = transaction); LISTEN is lost there",
            "write ?notify=false, or connect workers past it",
        )
    else:
        yield ok("pooler", "one is between, and pools transactions; notify is off, as it has to be")
    if not notify:
        yield ok("notifications", "off: workers look for jobs at their poll interval")
    elif _arrives(location):
        yield ok("notifications", "a message arrived")
    else:
        yield fault(
            "notifications",
            f"a message did not arrive within {_ARRIVAL_SECONDS:.0f} s",
            "workers find new jobs at their poll interval only; write ?notify=false, or connect past the pooler",
        )


def _moves(connection: Connection, location: Location) -> bool:
    """Say whether a connection loses its session to another one that is in a transaction."""
    mine = _session(connection, location)
    with closing(connect(location)) as other, other.transaction():
        return _session(other, location) == mine or _session(connection, location) != mine


def _session(connection: Connection, location: Location) -> int:
    row = connection.execute(location.queries.doctor_session).fetchone()
    assert row is not None
    return int(row[0])


def _arrives(location: Location) -> bool:
    word = f"tallystick doctor {uuid4()}\n"  # no name of a queue has a newline, so nobody is woken
    with (
        closing(connect(location)) as ear,
        closing(connect(location)) as mouth,
    ):
        ear.execute(location.queries.listen)
        mouth.execute(location.queries.doctor_notify, {"word": word})
        return any(notify.payload == word for notify in ear.notifies(timeout=_ARRIVAL_SECONDS, stop_after=1))
