"""Wake the waiting threads of a backend when other clients make jobs due, through a change stream."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Lock, Thread
from typing import Any, Protocol

from pymongo.errors import PyMongoError
from tallystick import TallystickError
from tallystick.backends.waiting import WakeUps

from . import queries
from .collections import Collections

logger = logging.getLogger("tallystick.mongo")

_AWAIT_MILLISECONDS = 500
"""How long the server waits for a change before it returns an empty result."""

_FIRST_PAUSE, _MAX_PAUSE = 0.1, 5.0
"""Seconds between two attempts to open the stream. The pause doubles after each attempt."""

_LONGEST_JOIN = 2.0
"""Seconds that `close` waits for the thread: longer than one poll of the stream, but shorter than a socket timeout."""


class Stream(Protocol):
    """The part of PyMongo's change stream that this module uses."""

    @property
    def alive(self) -> bool:
        """Return whether more changes may follow; False after the database was dropped."""

    def try_next(self) -> Any:
        """Return the next change, or None if the server sent none in time."""


Watch = Callable[[], AbstractContextManager[Stream]]
"""Opens a change stream of the changes that may make jobs due."""


def stream(store: Collections) -> Watch:
    """Return a function that opens a change stream of a store."""
    changes = queries.changes(store.jobs.name, store.queues.name)
    return lambda: store.database.watch(changes, max_await_time_ms=_AWAIT_MILLISECONDS)


class Listener:
    """Wakes the waiting threads for changes by other clients, from `start` until `close`.

    A change does not always name its queue, so each wakes all waiting threads, and they query again. The listener also
    wakes them each time it opens the stream, because they may have missed changes before.
    """

    def __init__(self, wake_ups: WakeUps) -> None:
        self._wake_ups = wake_ups
        self._lock = Lock()
        self._closed = Event()
        self._thread: Thread | None = None

    def start(self, watch: Watch) -> None:
        """Start the listening thread. Repeat: no effect."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = Thread(target=self._run, args=(watch,), name="tallystick-mongo-listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop the thread, and wake all waiting threads.

        If the server does not respond, the thread ends later, at the driver's timeout.
        """
        with self._lock:
            self._closed.set()
            thread = self._thread
        self._wake_ups.close()
        if thread is not None:
            thread.join(_LONGEST_JOIN)

    def _run(self, watch: Watch) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                with watch() as stream:
                    pause = _FIRST_PAUSE
                    self._wake_ups.wake_all()
                    while stream.alive and not self._closed.is_set():
                        if stream.try_next() is not None:
                            self._wake_ups.wake_all()
            except (PyMongoError, TallystickError) as exc:
                if self._closed.is_set():
                    return
                logger.warning("lost the change stream of jobs, retrying in %.1f s: %s", pause, exc)
            self._closed.wait(pause)
            pause = min(pause * 2, _MAX_PAUSE)
