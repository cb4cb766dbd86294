"""The connections of one backend: a pool, transactions on it, and retries after a failure."""

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
from psycopg.types.array import ListBinaryDumper
from psycopg_pool import ConnectionPool
from tallystick import forks, urls
from tallystick.backends.lifetime import Lifetime

from .errors import PASSING, mapped, ours
from .location import Location
from .rows import Row

T = TypeVar("T")
RV = TypeVar("RV")

_TRIES = 10
_LONGEST_PAUSE = 0.02

_NEVER = 2**31
"""Executions after which psycopg prepares a statement on its own account."""

_LONGEST_GOODBYE = 1.0
"""Seconds that `close` waits for running calls."""

# The pool logs each failed attempt to connect as a warning; the call that needed the connection raises the same error.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

# In binary format a timestamptz is a 64-bit number: see rows.
_MICROSECONDS = psycopg.adapters.get_loader(psycopg.adapters.types["int8"].oid, Format.BINARY)


class Connection(psycopg.Connection[Row]):
    """A psycopg connection that waits at most `seconds` for the reply to a statement; None waits for ever."""

    seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait as psycopg does, but close the connection after `seconds`: a silent network reports no error."""
        try:
            return super().wait(gen, interval, timeout if timeout is not None else self.seconds)
        except psycopg.errors._WaitTimeout as exc:  # noqa: SLF001
            if timeout is not None:  # psycopg's own timeout, which its caller expects
                raise
            self.close()
            raise psycopg.OperationalError(f"the server did not reply within {self.seconds} s") from exc

    def after_fork_in_child(self) -> None:
        """Replace the parent's socket by /dev/null: the child cannot use it, and the session ends with the parent.

        The file descriptor stays open, because libpq still holds its number.
        """
        with suppress(psycopg.Error), Path(os.devnull).open("r+b") as nothing:
            os.dup2(nothing.fileno(), self.pgconn.socket)

    def is_lost(self) -> bool:
        """Check, without waiting, whether the server has closed this idle connection."""
        try:
            for _ in range(2):  # first the server's last message, then the end of the stream
                self.pgconn.consume_input()
        except psycopg.OperationalError:
            self.close()
        return self.closed


class Connections:
    """A connection pool that opens on first use.

    Behind a pooler it keeps no state in a session between transactions, because the pooler may run each transaction in
    another session. On a direct connection it prepares the statements that `execute.on` names, and no others: the
    server would reuse plans that it made for other values.
    """

    def __init__(self, location: Location, lifetime: Lifetime, check: Callable[[Connection, Location], None]) -> None:
        self._location = location
        self._lifetime = lifetime
        self._check = check
        self._lock = Lock()
        self._calls = 0
        self._call_ended = Condition(self._lock)
        self._pool: ConnectionPool[Connection] | None = None
        self._is_read_committed = False
        forks.watch(self)

    def read(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Execute one statement that only reads."""
        return self._repeatedly(lambda connection: _executed(connection, work, lost=_Lost))

    def write(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Execute one statement as a transaction by itself, which takes one round trip instead of three.

        Raises:
            OutcomeUnknown: the connection was lost during the statement.
            Unavailable: no connection could be opened; nothing was changed.
        """
        if self._pool is None:
            self._lifetime.check()
            with self._lock:
                self._opened()
        if not self._is_read_committed:
            return self.transact(work)
        return self._repeatedly(lambda connection: _executed(connection, work, lost=_MaybeDone))

    def transact(self, work: Callable[[Cursor[Row]], T]) -> T:
        """Call `work` in a new transaction, commit it, and return the result of `work`.

        Raises:
            OutcomeUnknown: the connection was lost during the commit.
            Unavailable: no connection could be opened, or it was lost before the commit; nothing was changed.
        """
        return self._repeatedly(lambda connection: _committed(connection, work))

    def _repeatedly(self, use: Callable[[Connection], T]) -> T:
        """Use a connection; retry if it was lost before the commit, or if a conflict rolled the call back."""
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
        """Yield the open pool, and make `close` wait: a call on a closed pool would wait for a connection in vain."""
        self._lifetime.check()
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
        """Take a connection that the server has not closed: after a restart of the server, all idle ones are closed."""
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
        """Connect once to find the error: the pool connects in the background and does not report it."""
        try:
            connect(self._location).close()
        except psycopg.Error as exc:
            return exc
        return None

    def _opened(self) -> ConnectionPool[Connection]:
        self._lifetime.check()  # it may have ended while this call waited for the lock
        if self._pool is None:
            with mapped(self._location):
                self._pool = self._open()
        return self._pool

    def _open(self) -> ConnectionPool[Connection]:
        with connect(self._location) as connection:  # raises here, with the reason
            self._check(connection, self._location)
            self._is_read_committed = _default_isolation(connection) == "read committed"
        options = self._location.options
        return ConnectionPool(
            self._location.conninfo,
            connection_class=Connection,
            kwargs=_ARGUMENTS,
            configure=lambda connection: _configure_pooled(connection, self._location),
            min_size=0,
            max_size=options.pool_size,
            timeout=options.pool_timeout.total_seconds(),
            reconnect_timeout=options.pool_timeout.total_seconds(),
            num_workers=1,
            open=True,
        )

    def after_fork_in_child(self) -> None:
        """Drop the parent's pool; `forks` keeps a reference to it."""
        self._pool = None

    def close(self) -> None:
        """Close all connections after the running calls end; a connection of a long call is closed when it returns.

        The lifetime has ended, so no new call begins.
        """
        with self._lock:
            pool, self._pool = self._pool, None
            self._call_ended.wait_for(lambda: not self._calls, _LONGEST_GOODBYE)
        if pool is not None:
            pool.close()


class _Lost(Exception):
    """The connection was lost before the commit, so the server rolls the transaction back."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.error = error


class _MaybeDone(_Lost):
    """The connection was lost after the server may have committed."""


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
            result = _executed(connection, work, lost=_Lost)
    except psycopg.Error as exc:
        if connection.closed:
            raise _MaybeDone(exc) from exc
        raise
    return result


def _default_isolation(connection: Connection) -> object:
    row = connection.execute("SHOW default_transaction_isolation").fetchone()
    assert row is not None
    return row[0]


_ARGUMENTS: dict[str, Any] = {"prepare_threshold": None, "autocommit": True}


def connect(location: Location) -> Connection:
    """Open a connection outside the pool."""
    connection = Connection.connect(location.conninfo, **_ARGUMENTS)
    _configure(connection, location)
    return connection


def _configure(connection: Connection, location: Location) -> None:
    forks.watch(connection)
    connection.seconds = location.options.timeout.total_seconds()
    connection.isolation_level = IsolationLevel.READ_COMMITTED  # whatever the database's default is
    adapt(connection.adapters)


def _configure_pooled(connection: Connection, location: Location) -> None:
    _configure(connection, location)
    if is_direct(connection, location):
        connection.prepare_threshold = _NEVER


def is_direct(connection: Connection, location: Location) -> bool:
    """Check that there is no pooler, which reports the id of a process of its own."""
    row = connection.execute(location.queries.doctor_session).fetchone()
    return row == (connection.info.backend_pid,)


def adapt(adapters: AdaptersMap) -> None:
    """Load a `timestamptz` as the number of microseconds that `rows.moment` takes, and dump lists in binary format."""
    assert _MICROSECONDS is not None
    adapters.register_loader("timestamptz", _MICROSECONDS)
    adapters.register_dumper(list, ListBinaryDumper)
