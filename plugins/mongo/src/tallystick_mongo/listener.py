"""Wake the waiting threads of a backend when jobs become due, using a change stream if there is one."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import TIMEOUT_MAX, Condition, Event, Thread
from typing import Any, Protocol

from pymongo.errors import PyMongoError
from tallystick import TallystickError

logger = logging.getLogger("tallystick.mongo")

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


class Listener:
    """Wakes waiting threads for calls of this client and, after `start`, for changes by other clients.

    Changes arrive in a thread that runs until `close`. A change does not always name its queue, so each wakes all
    waiting threads, and they query again. The listener also wakes them each time it opens the stream, because they may
    have missed changes before.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._closed = Event()
        self._thread: Thread | None = None
        self.woken = 0

    def start(self, watch: Watch) -> None:
        """Start the listening thread. Repeat: no effect."""
        with self._condition:
            if self._thread is None and not self._closed.is_set():
                self._thread = Thread(target=self._run, args=(watch,), name="tallystick-mongo-listener", daemon=True)
                self._thread.start()

    def wait(self, seen: int, seconds: float) -> bool:
        """Wait until `woken` differs from `seen`, for at most `seconds`; return False once the listener is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed.is_set() or self.woken != seen, min(seconds, TIMEOUT_MAX))
            return not self._closed.is_set()

    def wake(self) -> None:
        """Wake all waiting threads."""
        with self._condition:
            self.woken += 1
            self._condition.notify_all()

    def close(self) -> None:
        """Stop the thread, and wake all waiting threads.

        If the server does not respond, the thread ends later, at the driver's timeout.
        """
        with self._condition:
            self._closed.set()
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_LONGEST_JOIN)

    def _run(self, watch: Watch) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                with watch() as stream:
                    pause = _FIRST_PAUSE
                    self.wake()
                    while stream.alive and not self._closed.is_set():
                        if stream.try_next() is not None:
                            self.wake()
            except (PyMongoError, TallystickError) as exc:
                if self._closed.is_set():
                    return
                logger.warning("lost the change stream of jobs, retrying in %.1f s: %s", pause, exc)
            self._closed.wait(pause)
            pause = min(pause * 2, _MAX_PAUSE)
