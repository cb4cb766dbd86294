"""Reads of the store that all viewers share. Each is repeated at most once an interval, and only if someone looks."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

KEPT = 200
"""How many results are kept."""

_REST = 10
"""A slow store rests this many times as long as the last read took."""


class SharedReads:
    """Keeps the result of each read for an interval. Callers of the same read wait for one result."""

    def __init__(self, interval: timedelta, *, clock: Callable[[], float] = monotonic) -> None:
        self._interval = interval.total_seconds()
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the result of a read, at most as old as the interval, or as ten times the duration of a slow read."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > KEPT:
                self._entries.popitem(last=False)
        with entry.lock:
            began = self._clock()
            if began >= entry.until:
                entry.value = read()
                ended = self._clock()
                entry.until = ended + max(self._interval, _REST * (ended - began)) if self._interval else began
            value: T = entry.value
            return value

    def forget(self) -> None:
        """Read anew at the next call, because an action changed the store."""
        with self._lock:
            self._entries.clear()


class _Entry:
    def __init__(self) -> None:
        self.lock = Lock()
        self.value: Any = None
        self.until = float("-inf")
