"""The connections of one backend: a pool, what a transaction on them is, and what is done when one fails."""

import logging
from collections.abc import Callable
from random import random
from threading import Lock
from time import sleep
from typing import Any, TypeVar

import psycopg
from psycopg import Cursor, IsolationLevel
from psycopg.abc import PQGen
from psycopg.pq import Format
from psycopg_pool import ConnectionPool

from .errors import PASSING, closed, mapped, ours
from .location import Location
from .rows import Row

T = TypeVar("T")
RV = TypeVar("RV")

_TRIES = 10
_LONGEST_PAUSE = 0.02

# The pool warns of each attempt to connect that fails; the call that needed it raises the same.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

# On the wire a timestamptz is the 8 bytes of a number: see rows.
_MICROSECONDS = psycopg.adapters.get_loader(psycopg.adapters.types["int8"].oid, Format.BINARY)


class Connection(psycopg.Connection[Row]):
    """A connection on which no statement waits for an answer for longer than `seconds`."""

    seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait as psycopg does, but not for ever: a network that went silent tells nothing."""
        try:
            return super().wait(gen, interval, timeout if timeout is not None else self.seconds)
        except psycopg.errors._WaitTimeout as exc:  # noqa: SLF001
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.seconds} s") from exc


class Connections:
    """A pool that is opened at its first use.

    Nothing is kept in a session between two transactions, so a pooler may give each of them another session; for the
    same reason no statement is prepared, which also keeps the server from using a plan made for other values.
    """

    def __init__(self, location: Location, check: Callable[["Connection", Location], None]) -> None:
        self._location = location
        self._check = check
        self._lock = Lock()
        self._pool: ConnectionPool[Connection] | None = None
        self._closed = False

    def write(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Do some work in a transaction of its own, and return its answer once that is committed.

        Raises:
            OutcomeUnknown: the connection was lost while committing.
            Unavailable: there was none, or it was lost before; nothing happened.
        """
        return self._repeatedly(lambda connection: self._committed(connection, work))

    def read(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Do some work of one statement that changes nothing, which saves it two round trips."""
        return self._repeatedly(lambda connection: _alone(connection, work))

    def _repeatedly(self, use: Callable[[Connection], T]) -> T:
        """Use a connection, and another one where that is harmless: nothing was done then.

        That is so where a transaction met another's and was undone; and where a connection turns out to have been lost
        before a commit was asked for, as all those of the pool are once a server was restarted.
        """
        tries = iter(range(_TRIES))
        while True:
            tried = next(tries)
            try:
                return self._once(use)
            except PASSING as exc:
                if tried == _TRIES - 1:
                    raise ours(exc, self._location) from exc
                sleep(random() * _LONGEST_PAUSE)
            except _Lost as exc:
                if tried:
                    raise ours(exc.error, self._location) from exc.error
                self._opened().check()
            except psycopg.Error as exc:
                raise ours(exc, self._location) from exc

    def _once(self, use: Callable[[Connection], T]) -> T:
        pool = self._opened()
        connection = self._take(pool)
        try:
            return use(connection)
        finally:
            pool.putconn(connection)

    def _committed(self, connection: Connection, work: Callable[[Cursor[Row]], T]) -> T:
        answer = _worked(connection, work)
        try:
            connection.commit()
        except psycopg.Error as exc:
            if connection.closed:
                raise ours(exc, self._location, committing=True) from exc
            raise
        return answer

    def _take(self, pool: ConnectionPool[Connection]) -> Connection:
        try:
            return pool.getconn()
        except psycopg.OperationalError as exc:
            raise self._reason() or exc from exc

    def _reason(self) -> psycopg.Error | None:
        """Say why there is no connection; the pool, which connects in the background, does not."""
        try:
            connect(self._location).close()
        except psycopg.Error as exc:
            return exc
        return None

    def _opened(self) -> ConnectionPool[Connection]:
        with self._lock:
            if self._closed:
                raise closed()
            if self._pool is None:
                with mapped(self._location):
                    self._pool = self._open()
            return self._pool

    def _open(self) -> ConnectionPool[Connection]:
        with connect(self._location) as connection:  # fails here, with the reason
            self._check(connection, self._location)
        options = self._location.options
        return ConnectionPool(
            self._location.conninfo,
            connection_class=Connection,
            kwargs=_ARGUMENTS,
            configure=lambda connection: _configure(connection, self._location),
            min_size=0,
            max_size=options.pool_size,
            timeout=options.pool_timeout.total_seconds(),
            reconnect_timeout=options.pool_timeout.total_seconds(),
            num_workers=1,
            open=True,
        )

    def close(self) -> None:
        """Close them all; those in use as soon as they are given back."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


class _Lost(Exception):
    """The connection was lost before the commit was asked for, so the server has undone or will undo it all."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.error = error


def _alone(connection: Connection, work: Callable[[Cursor[Row]], T]) -> T:
    connection.autocommit = True
    try:
        return _worked(connection, work)
    finally:
        if not connection.closed:
            connection.autocommit = False


def _worked(connection: Connection, work: Callable[[Cursor[Row]], T]) -> T:
    try:
        with connection.cursor(binary=True) as cursor:
            return work(cursor)
    except psycopg.Error as exc:
        if connection.closed:
            raise _Lost(exc) from exc
        connection.rollback()
        raise
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise


_ARGUMENTS: dict[str, Any] = {"prepare_threshold": None}


def connect(location: Location, **arguments: Any) -> Connection:
    """Open a connection of one's own."""
    connection = Connection.connect(location.conninfo, **{**_ARGUMENTS, **arguments})
    _configure(connection, location)
    return connection


def _configure(connection: Connection, location: Location) -> None:
    connection.seconds = location.options.timeout.total_seconds()
    connection.isolation_level = IsolationLevel.READ_COMMITTED  # whatever the database's default is
    assert _MICROSECONDS is not None
    connection.adapters.register_loader("timestamptz", _MICROSECONDS)
