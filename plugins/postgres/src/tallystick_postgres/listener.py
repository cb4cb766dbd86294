"""Wake the waiting calls of one backend when jobs arrive: LISTEN on a separate connection."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from selectors import EVENT_READ, DefaultSelector
from socket import socket, socketpair
from threading import Event, Lock, Thread
from time import monotonic

import psycopg
from tallystick.backends.waiting import Seen, WakeUps

from .connections import Connection, connect
from .location import Location

logger = logging.getLogger("tallystick.postgres")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to connect; the pause doubles each time."""

_READ_EVERY = 1.0
"""Seconds between two reads while no call sleeps. The server keeps each notification until all clients have read it."""

_LONGEST_SLEEP = 86_400.0
"""Seconds that a selector can wait on every platform."""

DUE = "+"
"""The first character of a notification about a job that can be claimed now."""


class Listener:
    """Listens for new jobs, from the first `sleep` until `close`, and wakes the waiters of their queues.

    One of the calls that sleep reads the connection, so that a notification wakes it directly. The others sleep until
    that call wakes them, or ends. A thread opens the connection, and reads it once a second while no call sleeps. After
    each reconnect it wakes every waiter, because notifications may have been lost.
    """

    def __init__(self, location: Location, wake_ups: WakeUps) -> None:
        self._location = location
        self._wake_ups = wake_ups
        self._lock = Lock()
        self._closed = Event()
        self._called = Event()
        self._due: Counter[str] = Counter()
        self._thread: Thread | None = None
        self._inbox: _Inbox | None = None
        self._error: psycopg.Error | None = None
        self._reader = Lock()
        self._is_asleep = False
        self._bell, self._ringer = socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        wake_ups.on_wake = self._ring

    @property
    def listening(self) -> bool:
        """Whether the connection is up, so that new jobs wake the waiters."""
        return self._inbox is not None

    def due(self, queues: Sequence[str]) -> int:
        """Return how many notifications so far were about a job of these queues that could be claimed."""
        return sum(self._due[queue] for queue in queues)

    def look(self) -> None:
        """Read the notifications that have arrived, unless another call reads them."""
        self._read(0)

    def sleep(self, queues: Sequence[str], seen: Seen, seconds: float) -> bool:
        """Sleep until one of the queues is woken after `seen`, for at most `seconds`. Return False once closed.

        The first sleep starts the thread, unless the URL turns notifications off.
        """
        self._start()
        deadline = monotonic() + seconds
        while self._wake_ups.sleep(queues, seen, 0):
            left = deadline - monotonic()
            if left <= 0 or self._wake_ups.seen(queues) != seen:
                return True
            if not self._read(left, lambda: self._wake_ups.seen(queues) == seen):
                self._wake_ups.sleep(queues, seen, left, until=self._can_read)
        return False

    def close(self) -> None:
        """Close the connection, and end the thread."""
        with self._lock:
            self._closed.set()
            thread = self._thread
        self._called.set()
        if thread is not None:
            thread.join()
        with self._reader:
            self._ringer.close()
            self._bell.close()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and self._location.options.notify and not self._closed.is_set():
                self._thread = Thread(target=self._run, name="tallystick-postgres-listener", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                with closing(connect(self._location)) as connection:
                    connection.execute(self._location.queries.listen)
                    pause = _FIRST_PAUSE
                    self._serve(connection)
            except psycopg.Error as exc:
                logger.warning("lost the connection that listens for new jobs, reconnecting in %.1f s: %s", pause, exc)
            self._closed.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _serve(self, connection: Connection) -> None:
        """Let the calls that sleep read a connection, until it is lost or the listener is closed."""
        self._called.clear()
        self._error = None
        with closing(_Inbox(connection, self._bell)) as inbox:
            self._inbox = inbox
            self._wake_ups.wake_all()
            while not self._closed.is_set() and self._error is None:
                self._called.wait(_READ_EVERY)
                self.look()
            self._inbox = None
            self._ring()
            with self._reader:  # no call reads the connection any more
                pass
        if self._error is not None:
            raise self._error

    def _can_read(self) -> bool:
        return self._inbox is not None and not self._reader.locked()

    def _read(self, seconds: float, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Wait for notifications, and pass them on. Return False at once if another call reads, or none can.

        A wake-up ends the wait. One between the caller's check and the wait makes `is_wanted` false.
        """
        queues: list[str] = []
        if not self._reader.acquire(blocking=False):
            return False
        try:
            if (inbox := self._inbox) is None:
                return False
            self._is_asleep = True  # from now on, each wake-up rings
            if self._inbox is inbox and is_wanted():
                queues = self._receive(inbox, seconds)
        except psycopg.Error as exc:
            self._error, self._inbox = exc, None
            self._called.set()
        finally:
            self._is_asleep = False
            self._reader.release()
        self._wake_ups.wake(queues)  # or let another call read
        return True

    def _receive(self, inbox: "_Inbox", seconds: float) -> list[str]:
        queues = []
        for text in inbox.receive(seconds):
            sign, queue = text[:1], text[1:]
            queues.append(queue)
            if sign == DUE:
                self._due[queue] += 1
        return queues

    def _ring(self) -> None:
        """End the sleep of the call that reads."""
        if self._is_asleep:
            with suppress(OSError):  # the bell is full of rings, or closed
                self._ringer.send(b"!")


class _Inbox:
    """The notifications of a connection. A ring of the bell ends a wait for them."""

    def __init__(self, connection: Connection, bell: socket) -> None:
        self._connection = connection
        self._bell = bell
        self._selector = DefaultSelector()
        self._selector.register(connection.fileno(), EVENT_READ)
        self._selector.register(bell, EVENT_READ)

    def receive(self, seconds: float) -> list[str]:
        """Return the texts that have arrived, after a wait of at most `seconds` for the first."""
        if seconds > 0:
            self._selector.select(min(seconds, _LONGEST_SLEEP))
            with suppress(BlockingIOError):
                self._bell.recv(4096)
        self._connection.pgconn.consume_input()
        texts = []
        while (notify := self._connection.pgconn.notifies()) is not None:
            texts.append(notify.extra.decode())
        return texts

    def close(self) -> None:
        """Free the selector. The connection stays open."""
        self._selector.close()
