"""The child processes of one worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from ..jobs.control import Stopped
from .child_process import ChildProcess

_END_SECONDS = 1.0
"""The longest time for idle children to run their `atexit` functions."""


class ChildPool:
    """Starts a child when no idle one is left, so there are as many as handlers have run at once."""

    def __init__(self) -> None:
        self._idle: list[ChildProcess] = []
        self._busy: set[ChildProcess] = set()
        self._lock = Lock()
        self._stopped = False

    @contextmanager
    def child(self) -> Iterator[ChildProcess]:
        """Yield a child. It is reused if the attempt ended well for it, else killed.

        Raises:
            Stopped: the pool is stopped.
        """
        child = self._take()
        try:
            yield child
        finally:
            self._put_back(child)

    def _take(self) -> ChildProcess:
        while True:
            with self._lock:
                if self._stopped:
                    raise Stopped("the worker has stopped")
                child = self._idle.pop() if self._idle else ChildProcess()
                self._busy.add(child)
            if child.is_alive or not child.is_reusable:
                return child
            self._put_back(child)

    def _put_back(self, child: ChildProcess) -> None:
        with self._lock:
            self._busy.discard(child)
            keep = child.is_reusable and child.is_alive and not self._stopped
            if keep:
                self._idle.append(child)
        if not keep:
            child.kill()
            child.end(_END_SECONDS)

    def stop(self) -> None:
        """End the idle children, and kill the busy ones. The threads of the busy ones reap them."""
        with self._lock:
            self._stopped = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.kill()
        for child in idle:
            child.begin_end()
        until = monotonic() + _END_SECONDS
        for child in idle:
            child.end(until - monotonic())
