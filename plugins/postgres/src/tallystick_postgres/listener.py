"""Wake the waiting calls of one backend when jobs arrive: LISTEN on a separate connection."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from select import select
from socket import SHUT_RDWR, socketpair
from threading import Event, Lock, Thread

import psycopg
from tallystick.backends.waiting import WakeUps

from .connections import Connection, connect
from .location import Location

logger = logging.getLogger("tallystick.postgres")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to connect; the pause doubles each time."""


DUE = "+"
"""The first character of a notification about a job that can be claimed now."""


class Listener:
    """A thread that listens for new jobs, from the first `start` until `close`, and wakes the waiters of their queues.

    After each reconnect it wakes every waiter, because notifications may have been lost.
    """

    def __init__(self, location: Location, wake_ups: WakeUps) -> None:
        self._location = location
        self._wake_ups = wake_ups
        self._lock = Lock()
        self._closed = Event()
        self._listening = False
        self._due: Counter[str] = Counter()
        self._thread: Thread | None = None
        self._bell, self._ringer = socketpair()

    @property
    def listening(self) -> bool:
        """Whether the connection is up, so that new jobs wake the waiters."""
        return self._listening

    def due(self, queues: Sequence[str]) -> int:
        """Return how many notifications so far were about a job of these queues that could be claimed."""
        return sum(self._due[queue] for queue in queues)

    def start(self) -> None:
        """Start the thread, unless it was started, the listener was closed, or the URL turns notifications off."""
        with self._lock:
            if self._thread is None and self._location.options.notify and not self._closed.is_set():
                self._thread = Thread(target=self._run, name="tallystick-postgres-listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        with self._lock:
            self._closed.set()
            thread = self._thread
        self._ringer.shutdown(SHUT_RDWR)  # makes the bell readable, even if a forked child also holds the sockets
        if thread is not None:
            thread.join()
        self._ringer.close()
        self._bell.close()

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
        self._listening = True
        self._wake_ups.wake_all()
        while not self._closed.is_set():
            select([connection.fileno(), self._bell.fileno()], [], [])
            if self._closed.is_set():
                return
            connection.pgconn.consume_input()
            queues = []
            while (notify := connection.pgconn.notifies()) is not None:
                sign, queue = notify.extra.decode()[:1], notify.extra.decode()[1:]
                queues.append(queue)
                if sign == DUE:
                    self._due[queue] += 1
            self._wake_ups.wake(queues)
