"""Learning of new jobs as they come: a change stream, for all who wait on one backend."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import TIMEOUT_MAX, Condition, Event, Thread
from typing import Any, Protocol

from pymongo.errors import PyMongoError
from tallystick import TallystickError

logger = logging.getLogger("tallystick.mongo")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to open the stream; they double."""

_LONGEST_JOIN = 2.0
"""Seconds that `close` waits for the thread: longer than for a change, shorter than for a server that went silent."""


class Stream(Protocol):
    """What of a change stream is used here."""

    @property
    def alive(self) -> bool:
        """Say whether there may be another change; there is none after the database was dropped."""

    def try_next(self) -> Any:
        """Return the next change, or None where there was none for a while."""


Watch = Callable[[], AbstractContextManager[Stream]]
"""Opens a change stream of what makes jobs due."""


class Listener:
    """Wakes those who wait; where there is a `watch`, for what others do too, by a thread that runs until `close`.

    A change does not always name its queue, so each wakes all, and they ask. They are woken, too, each time that the
    stream stands again, since they may have missed something.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._closed = Event()
        self._thread: Thread | None = None
        self.woken = 0

    def start(self, watch: Watch) -> None:
        """Begin to listen, at the first call."""
        with self._condition:
            if self._thread is None and not self._closed.is_set():
                self._thread = Thread(target=self._run, args=(watch,), name="tallystick-mongo-listener", daemon=True)
                self._thread.start()

    def wait(self, seen: int, seconds: float) -> bool:
        """Wait until somebody wakes after `seen`, or for some seconds; say whether to go on waiting."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed.is_set() or self.woken != seen, min(seconds, TIMEOUT_MAX))
            return not self._closed.is_set()

    def wake(self) -> None:
        """Wake those who wait."""
        with self._condition:
            self.woken += 1
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread, and wake all; one that waits for a silent server ends when the driver gives that up."""
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
                logger.warning("lost the change stream of jobs, trying again in %.1f s: %s", pause, exc)
            self._closed.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
