"""Wake the waiting calls of one backend when jobs arrive: LISTEN on a separate connection."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from select import select
from socket import SHUT_RDWR, socketpair
from threading import TIMEOUT_MAX, Condition, Event, Thread

import psycopg

from .connections import Connection, connect
from .location import Location

logger = logging.getLogger("tallystick.postgres")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to connect; the pause doubles each time."""

Seen = tuple[int, ...]
"""How often some queues have been woken; a waiter compares two of these to detect a missed wake-up."""


class Listener:
    """A thread that listens for new jobs, from the first `wait` until `close`.

    After each reconnect it wakes every waiter, because notifications may have been lost.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._condition = Condition()
        self._woken: Counter[str] = Counter()
        self._all_woken = 0
        self._closed = Event()
        self._listening = False
        self._thread: Thread | None = None
        self._bell, self._ringer = socketpair()

    def seen(self, queues: Sequence[str]) -> Seen:
        """Return how often these queues have been woken so far."""
        with self._condition:
            return self._seen(queues)

    @property
    def listening(self) -> bool:
        """Whether the connection is up, so that new jobs wake the waiters."""
        return self._listening

    def wait(self, queues: Sequence[str], seen: Seen, seconds: float) -> bool:
        """Wait until one of the queues is woken after `seen`, at most `seconds`; return False once closed."""
        with self._condition:
            if self._thread is None and self._location.options.notify and not self._closed.is_set():
                self._thread = Thread(target=self._run, name="tallystick-postgres-listener", daemon=True)
                self._thread.start()
            may_end = min(seconds, TIMEOUT_MAX)
            self._condition.wait_for(lambda: self._closed.is_set() or self._seen(queues) != seen, may_end)
            return not self._closed.is_set()

    def wake(self, queues: Iterable[str]) -> None:
        """Wake the calls that wait for these queues."""
        with self._condition:
            self._woken.update(queues)
            self._condition.notify_all()

    def close(self) -> None:
        """Stop the thread, and wake every waiter."""
        with self._condition:
            self._closed.set()
            self._condition.notify_all()
            thread = self._thread
        self._ringer.shutdown(SHUT_RDWR)  # makes the bell readable, even if a forked child also holds the sockets
        if thread is not None:
            thread.join()
        self._ringer.close()
        self._bell.close()

    def _seen(self, queues: Sequence[str]) -> Seen:
        return (self._all_woken, *(self._woken[queue] for queue in queues))

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                with closing(connect(self._location)) as connection:
                    connection.execute(self._location.queries.listen)
                    pause = _FIRST_PAUSE
                    self._listen(connection)
            except psycopg.Error as exc:
                logger.warning("lost the connection that listens for new jobs, reconnecting in %.1f s: %s", pause, exc)
            self._listening = False
            select([self._bell], [], [], pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _listen(self, connection: Connection) -> None:
        with self._condition:
            self._listening = True
            self._all_woken += 1
            self._condition.notify_all()
        while not self._closed.is_set():
            select([connection.fileno(), self._bell.fileno()], [], [])
            if self._closed.is_set():
                return
            connection.pgconn.consume_input()
            queues = []
            while (notify := connection.pgconn.notifies()) is not None:
                queues.append(notify.extra.decode())
            self.wake(queues)
