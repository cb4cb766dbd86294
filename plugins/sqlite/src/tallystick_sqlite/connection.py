"""A connection to the file, with its lock and transactions."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar

from tallystick.backends.lifetime import Lifetime

from . import forking, write_lock
from .errors import mapped, primary_code
from .location import Location
from .rows import escaped
from .schema import open_store

P = ParamSpec("P")
T = TypeVar("T")


class Connection:
    """A connection that opens on first use; one thread at a time uses it.

    Its methods call a function with the connection. They are no context managers: Ctrl-C between a block and its
    `__exit__` would leave the lock in a generator, which a kept traceback never ends.
    """

    def __init__(self, location: Location, lifetime: Lifetime) -> None:
        self._location = location
        self._lifetime = lifetime
        self._entrance = Lock()  # taken before the lock, so that a fork can stop new calls
        self._lock = Lock()
        self._paused = False
        self._is_patient = True
        self._opened: sqlite3.Connection | None = None
        self._text_factory: Callable[[bytes], str] = str
        self.path = location.path
        forking.watch(self)

    def read(self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the connection, to read; each statement sees the latest commit."""

        def reading(connection: sqlite3.Connection) -> T:
            self._be_patient(connection)
            return work(connection, *args, **kwargs)

        return self._use(reading)

    def read_snapshot(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function with the connection, to read; all statements see the same snapshot."""

        def reading(connection: sqlite3.Connection) -> T:
            self._be_patient(connection)
            try:
                connection.execute(self._location.queries.begin_read)
                return work(connection, *args, **kwargs)
            finally:
                connection.rollback()

        return self._use(reading)

    def write(self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the connection in a write transaction; commit then, or roll back after an error."""

        def writing(connection: sqlite3.Connection) -> T:
            try:
                self._begin(connection)
                result = work(connection, *args, **kwargs)
                with mapped(self._location, committing=True):
                    self._commit(connection)
                return result
            finally:
                connection.rollback()  # no effect after the commit

        return self._use(writing)

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._lifetime.check()
        with self._entrance:
            pass
        with self._lock, mapped(self._location):
            return work(self._open())

    def _begin(self, connection: sqlite3.Connection) -> None:
        if self._is_patient:
            self._set_busy_timeout(connection, write_lock.ATTEMPT)
            self._is_patient = False
        write_lock.begin(connection, self._location)

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.commit()
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY:
                raise
            self._be_patient(connection)  # without a write-ahead log, a commit waits for readers
            connection.commit()

    def _be_patient(self, connection: sqlite3.Connection) -> None:
        """Let a statement wait for `busy_timeout`. In a write transaction, only a commit may have to."""
        if not self._is_patient:
            self._set_busy_timeout(connection, self._location.options.busy_timeout)
            self._is_patient = True

    def _set_busy_timeout(self, connection: sqlite3.Connection, length: timedelta) -> None:
        length = min(length, self._location.options.busy_timeout)
        connection.execute(f"PRAGMA busy_timeout = {length // timedelta(milliseconds=1)}")

    def _open(self) -> sqlite3.Connection:
        self._lifetime.check()  # it may have ended while this call waited for the lock
        if self._opened is None:
            self._opened = open_store(self._location)
            self._opened.text_factory = self._text_factory
            self._is_patient = True
        return self._opened

    def read_escaped(self) -> None:
        """From now on, read text with its invalid UTF-8 escaped. This is slower, so it is not the default.

        The connection reconnects, because the failed statement would otherwise keep its snapshot open.
        """
        self._text_factory = escaped
        self.let_go()

    def open_if_free(self) -> None:
        """Open the connection now, unless a call uses it, or a fork has stopped its calls."""
        if not self._lock.locked():  # not `acquire`, after which Ctrl-C could leave it locked
            with self._lock:
                self._open()

    def let_go(self) -> None:
        """Close the connection; the next use opens it again, unless the client was closed."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def stop_calls(self) -> None:
        """Let no further call begin until `resume`."""
        self._entrance.acquire()

    def pause(self, seconds: float) -> bool:
        """Close when the running call has ended; return False and do nothing if it outlasts `seconds`."""
        self._paused = self._lock.acquire(timeout=seconds)
        if self._paused:
            self._drop()
        return self._paused

    def resume(self) -> None:
        """Allow calls again."""
        if self._paused:
            self._paused = False
            self._lock.release()
        self._entrance.release()
