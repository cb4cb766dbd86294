"""A connection to the file, with its lock and transactions."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

from tallystick.backends.lifetime import Lifetime

from . import forking
from .errors import mapped
from .location import Location
from .rows import escaped
from .schema import open_store


class Connection:
    """A connection that opens on first use; one thread at a time uses it."""

    def __init__(self, location: Location, lifetime: Lifetime) -> None:
        self._location = location
        self._lifetime = lifetime
        self._entrance = Lock()  # taken before the lock, so that a fork can stop new calls
        self._lock = Lock()
        self._paused = False
        self._opened: sqlite3.Connection | None = None
        self._text_factory: Callable[[bytes], str] = str
        self.path = location.path
        forking.watch(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for reading; each statement sees the latest commit."""
        self._lifetime.check()
        with self._entrance:
            pass
        with self._lock, mapped(self._location):
            yield self._open()

    def snapshot(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield the connection for reading; all statements see the same snapshot."""
        return self._transaction(self._location.queries.begin_read)

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield the connection in a write transaction; commit at the end, or roll back after an error."""
        return self._transaction(self._location.queries.begin_write)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.reading() as connection:
            try:
                connection.execute(begin)
                yield connection
                with mapped(self._location, committing=True):
                    connection.commit()
            finally:
                connection.rollback()  # no effect after the commit

    def _open(self) -> sqlite3.Connection:
        self._lifetime.check()  # it may have ended while this call waited for the lock
        if self._opened is None:
            self._opened = open_store(self._location)
            self._opened.text_factory = self._text_factory
        return self._opened

    def read_escaped(self) -> None:
        """From now on, read text with its invalid UTF-8 escaped. This is slower, so it is not the default.

        The connection reconnects, because the failed statement would otherwise keep its snapshot open.
        """
        self._text_factory = escaped
        self.let_go()

    def open_if_free(self) -> None:
        """Open the connection now, unless a call uses it, or a fork has stopped its calls."""
        if self._lock.acquire(blocking=False):
            try:
                self._open()
            finally:
                self._lock.release()

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
