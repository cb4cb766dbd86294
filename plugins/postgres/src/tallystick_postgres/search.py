"""Create and drop the optional indexes for searches, while other clients work."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import sleep
from typing import LiteralString

from .connections import Connection, connect
from .location import Location
from .queries import Queries

_INDEX = re.compile(r"^CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+)", re.MULTILINE)
_PAUSE = 0.1


def names(queries: Queries) -> set[str]:
    """Return the names of the indexes."""
    return set(_INDEX.findall(queries.create_search_indexes))


def setup(connection: Connection, location: Location) -> None:
    """Create or drop the indexes, as the URL requires. One that an earlier attempt left invalid is replaced."""
    wanted = location.options.search
    if wanted is None or _is_done(connection, location, wanted=wanted):
        return
    with _alone(location):
        if not wanted or _invalid(connection, location):
            _execute_each(connection, location.queries.drop_search_indexes)
        if wanted:
            _execute_each(connection, location.queries.create_search_indexes)


def _is_done(connection: Connection, location: Location, *, wanted: bool) -> bool:
    found = {name: valid for name, valid in _found(connection, location).items() if name in names(location.queries)}
    return all(found.values()) and len(found) == len(names(location.queries)) if wanted else not found


def _invalid(connection: Connection, location: Location) -> bool:
    found = _found(connection, location)
    return any(not found.get(name, True) for name in names(location.queries))


def _found(connection: Connection, location: Location) -> dict[str, bool]:
    return dict(connection.execute(location.queries.doctor_indexes).fetchall())


@contextmanager
def _alone(location: Location) -> Iterator[None]:
    """Let only one client at a time enter the block.

    The build of an index waits for the end of every transaction that had an older snapshot at some moment. A client
    that waits for the lock in a transaction may have had one. So it polls, and each attempt is a transaction. The lock
    is that of a transaction on another connection, which also works behind a pooler. Its statement has no parameters:
    with some, the transaction would keep the snapshot of its last statement.
    """
    with closing(connect(location)) as other:
        while True:
            with other.transaction():
                if _is_locked(other, location):
                    yield
                    return
            sleep(_PAUSE)


def _is_locked(connection: Connection, location: Location) -> bool:
    row = connection.execute(location.queries.try_lock_search).fetchone()
    assert row is not None
    return bool(row[0])


def _execute_each(connection: Connection, statements: LiteralString) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)
