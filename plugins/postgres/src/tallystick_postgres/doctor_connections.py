"""Diagnose connections: their number, a pooler in front of the server, and whether notifications arrive."""

from collections.abc import Iterator
from contextlib import closing
from math import ceil
from uuid import uuid4

from tallystick import Finding
from tallystick.diagnostics import fault, ok, warning

from .connections import Connection, connect, is_direct
from .location import Location

THREADS = 4
"""The threads of a worker that use the store: they claim, settle, extend leases and maintain."""

HANDLERS = 20
"""The handlers that can share one connection, which each of them needs only while it enqueues."""

_ARRIVAL_SECONDS = 5.0


def room(pool_size: int, concurrency: int | None, most: int, free: int) -> Iterator[Finding]:
    """Compare the pool's size with the connections that a worker needs and the server has free."""
    wanted = THREADS + ceil((concurrency or 0) / HANDLERS)
    found = f"pool_size is {pool_size}" + (f", concurrency {concurrency}" if concurrency else "")
    if pool_size < wanted:
        yield warning(
            "pool size",
            found,
            f"set ?pool_size={wanted}: {THREADS} for the worker's own threads, and one for every {HANDLERS} handlers "
            "that enqueue; with fewer, they wait for each other",
        )
    else:
        yield ok("pool size", found)
    found = f"{max(free, 0)} of max_connections = {most} are free"
    if free < pool_size + 1:
        yield warning(
            "free connections",
            found,
            f"one more process may open {pool_size + 1}; raise max_connections, lower pool_size, or connect through "
            "PgBouncer",
        )
    else:
        yield ok("free connections", found)


def diagnose(connection: Connection, location: Location) -> Iterator[Finding]:
    """Yield findings about a pooler, and about the delivery of notifications."""
    pooled = not is_direct(connection, location)
    moves = pooled and _moves(connection, location)
    notify = location.options.notify
    if not pooled:
        yield ok("pooler", "none")
    elif not moves:
        yield ok("pooler", "one in session mode")
    elif notify:
        yield fault(
            "pooler",
            "one in transaction mode (PgBouncer's pool_mode = transaction), which does not deliver notifications",
            "set ?notify=false, or connect workers directly to the server",
        )
    else:
        yield ok("pooler", "one in transaction mode; notify is off, as it must be")
    if not notify:
        yield ok("notifications", "off: workers find new jobs at their poll interval")
    elif _arrives(location):
        yield ok("notifications", "a test notification arrived")
    else:
        yield fault(
            "notifications",
            f"a test notification did not arrive within {_ARRIVAL_SECONDS:.0f} s",
            "workers find new jobs only at their poll interval; set ?notify=false, or connect directly to the server",
        )


def _moves(connection: Connection, location: Location) -> bool:
    """Check whether the pooler moves a connection to another session while a second one is in a transaction."""
    mine = _session(connection, location)
    with closing(connect(location)) as other, other.transaction():
        return _session(other, location) == mine or _session(connection, location) != mine


def _session(connection: Connection, location: Location) -> int:
    row = connection.execute(location.queries.doctor_session).fetchone()
    assert row is not None
    return int(row[0])


def _arrives(location: Location) -> bool:
    payload = f"tallystick doctor {uuid4()}\n"  # no queue name has a newline, so this wakes no waiter
    with (
        closing(connect(location)) as listener,
        closing(connect(location)) as notifier,
    ):
        listener.execute(location.queries.listen)
        notifier.execute(location.queries.doctor_notify, {"payload": payload})
        return any(notify.payload == payload for notify in listener.notifies(timeout=_ARRIVAL_SECONDS, stop_after=1))
