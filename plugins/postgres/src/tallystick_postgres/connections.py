"""The connections of one backend: a pool, what a transaction on them is, and what is done when one fails."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import random
from threading import Condition, Lock
from time import sleep
from typing import Any, TypeVar

import psycopg
from psycopg import Cursor, IsolationLevel
from psycopg.abc import PQGen
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format
from psycopg_pool import ConnectionPool
from tallystick import forks, urls

from .errors import PASSING, closed, mapped, ours
from .location import Location
from .rows import Row

T = TypeVar("T")
RV = TypeVar("RV")

_TRIES = 10
_LONGEST_PAUSE = 0.02

_LONGEST_GOODBYE = 1.0
"""Seconds that `close` waits for calls under way."""

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
            if timeout is not None:  # psycopg's own, for a wait that may end with nothing
                raise
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.seconds} s") from exc

    def after_fork_in_child(self) -> None:
        """Let go of the parent's socket, so that nothing here speaks on it, and its session ends with the parent.

        Its number stays in use: the driver believes that it is the socket's.
        """
        with suppress(psycopg.Error), Path(os.devnull).open("r+b") as nothing:
            os.dup2(nothing.fileno(), self.pgconn.socket)

    def is_lost(self) -> bool:
        """Say whether the server has ended an idle connection; that is in what has arrived here, and costs no wait."""
        try:
            for _ in range(2):  # what the server said at last, and the end
                self.pgconn.consume_input()
        except psycopg.OperationalError:
            self.close()
        return self.closed


class Connections:
    """A pool that is opened at its first use.

    Nothing is kept in a session between two transactions, so a pooler may give each of them another session; for the
    same reason no statement is prepared, which also keeps the server from using a plan made for other values.
    """

    def __init__(self, location: Location, check: Callable[[Connection, Location], None]) -> None:
        self._location = location
        self._check = check
        self._lock = Lock()
        self._calls = 0
        self._call_ended = Condition(self._lock)
        self._pool: ConnectionPool[Connection] | None = None
        self._is_read_committed = False
        self._closed = False
        self._owner = forks.Owner()
        forks.watch(self)

    def read(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Do some work of one statement that changes nothing."""
        return self._repeatedly(lambda connection: _executed(connection, work, lost=_Lost))

    def write(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Do some work of one statement, which is a transaction by itself: one round trip in place of three.

        Raises:
            OutcomeUnknown: the connection was lost meanwhile.
            Unavailable: there was none; nothing happened.
        """
        self._owner.check()
        with self._lock:
            self._opened()
        if not self._is_read_committed:
            return self.transact(work)
        return self._repeatedly(lambda connection: _executed(connection, work, lost=_MaybeDone))

    def transact(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Do some work in a transaction of its own, and return its answer once that is committed.

        Raises:
            OutcomeUnknown: the connection was lost while committing.
            Unavailable: there was none, or it was lost before; nothing happened.
        """
        return self._repeatedly(lambda connection: _committed(connection, work))

    def _repeatedly(self, use: Callable[[Connection], T]) -> T:
        """Use a connection, and another one where nothing was done: it was lost, or others made the server undo it."""
        tries = iter(range(_TRIES))
        while True:
            tried = next(tries)
            try:
                return self._once(use)
            except PASSING as exc:
                if tried == _TRIES - 1:
                    raise ours(exc, self._location) from self._cause(exc)
                sleep(random() * _LONGEST_PAUSE)
            except _MaybeDone as exc:
                raise ours(exc.error, self._location, unknown=True) from self._cause(exc.error)
            except _Lost as exc:
                if tried:
                    raise ours(exc.error, self._location) from self._cause(exc.error)
            except psycopg.Error as exc:
                raise ours(exc, self._location) from self._cause(exc)

    def _cause(self, exc: BaseException) -> BaseException | None:
        return urls.cause(exc, self._location.secrets)

    def _once(self, use: Callable[[Connection], T]) -> T:
        with self._held_open() as pool:
            connection = self._take(pool)
            try:
                return use(connection)
            finally:
                pool.putconn(connection)

    @contextmanager
    def _held_open(self) -> Iterator[ConnectionPool[Connection]]:
        """Give the pool, open: one that is closed just as a call comes lets that wait for a connection in vain."""
        self._owner.check()
        with self._lock:
            pool = self._opened()
            self._calls += 1
        try:
            yield pool
        finally:
            with self._lock:
                self._calls -= 1
                self._call_ended.notify_all()

    def _take(self, pool: ConnectionPool[Connection]) -> Connection:
        """Take a connection that is not known to be lost, as all those of a pool are once a server was restarted."""
        try:
            connection = pool.getconn()
            if connection.is_lost():
                pool.putconn(connection)
                pool.check()
                connection = pool.getconn()
        except psycopg.OperationalError as exc:
            raise self._reason() or exc from exc
        return connection

    def _reason(self) -> psycopg.Error | None:
        """Say why there is no connection; the pool, which connects in the background, does not."""
        try:
            connect(self._location).close()
        except psycopg.Error as exc:
            return exc
        return None

    def _opened(self) -> ConnectionPool[Connection]:
        if self._closed:
            raise closed()
        if self._pool is None:
            with mapped(self._location):
                self._pool = self._open()
        return self._pool

    def _open(self) -> ConnectionPool[Connection]:
        with connect(self._location) as connection:  # fails here, with the reason
            self._check(connection, self._location)
            self._is_read_committed = _default_isolation(connection) == "read committed"
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

    def after_fork_in_child(self) -> None:
        """Drop the pool of the parent, which `forks` keeps."""
        self._pool = None

    def close(self) -> None:
        """Close them all, once the calls under way have ended; those that take long, when they are given back."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            self._call_ended.wait_for(lambda: not self._calls, _LONGEST_GOODBYE)
        if pool is not None:
            pool.close()


class _Lost(Exception):
    """The connection was lost before anything was committed, so the server has undone or will undo it all."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.error = error


class _MaybeDone(_Lost):
    """The connection was lost when the server may have committed."""


def _executed(connection: Connection, work: Callable[[Cursor[Row]], T], *, lost: type[_Lost]) -> T:
    try:
        with connection.cursor(binary=True) as cursor:
            return work(cursor)
    except psycopg.Error as exc:
        if connection.closed:
            raise lost(exc) from exc
        raise


def _committed(connection: Connection, work: Callable[[Cursor[Row]], T]) -> T:
    try:
        with connection.transaction():
            answer = _executed(connection, work, lost=_Lost)
    except psycopg.Error as exc:
        if connection.closed:
            raise _MaybeDone(exc) from exc
        raise
    return answer


def _default_isolation(connection: Connection) -> object:
    row = connection.execute("SHOW default_transaction_isolation").fetchone()
    assert row is not None
    return row[0]


_ARGUMENTS: dict[str, Any] = {"prepare_threshold": None, "autocommit": True}


def connect(location: Location) -> Connection:
    """Open a connection of one's own."""
    connection = Connection.connect(location.conninfo, **_ARGUMENTS)
    _configure(connection, location)
    return connection


def _configure(connection: Connection, location: Location) -> None:
    forks.watch(connection)
    connection.seconds = location.options.timeout.total_seconds()
    connection.isolation_level = IsolationLevel.READ_COMMITTED  # whatever the database's default is
    read_as_ours(connection.adapters)


def read_as_ours(adapters: AdaptersMap) -> None:
    """Have moments read as `rows.moment` takes them."""
    assert _MICROSECONDS is not None
    adapters.register_loader("timestamptz", _MICROSECONDS)
