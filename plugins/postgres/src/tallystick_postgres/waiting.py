"""Wait for due jobs: query when the next job is due, and again only after a change."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import inf
from time import monotonic
from typing import NamedTuple

from .listener import Listener, Seen

QueryDue = Callable[[Sequence[str]], float | None]
"""A function that returns the seconds until the first job of some queues is due; None if no job waits."""


class _Due(NamedTuple):
    """When the first job of some queues is due, by the monotonic clock; valid until one of the queues is woken."""

    names: Sequence[str]
    seen: Seen
    at: float


class Waiting:
    """Implements `wait`. It caches the last query, because a worker waits for the same queues again and again."""

    def __init__(self, query: QueryDue, listener: Listener) -> None:
        self._query = query
        self._listener = listener
        self._last = _Due((), (), -inf)

    def wait(self, names: Sequence[str], timeout: timedelta) -> bool:
        """Wait until a job of these queues is due; return False at the timeout, or once closed."""
        deadline = monotonic() + timeout.total_seconds()
        while True:
            seen = self._listener.seen(names)
            due = self._due(names, seen)
            now = monotonic()
            if due <= now:
                return True
            if deadline <= now:
                return False
            if not self._listener.wait(names, seen, min(due, deadline) - now):
                return False

    def _due(self, names: Sequence[str], seen: Seen) -> float:
        last = self._last
        if (last.names, last.seen) == (names, seen) and self._listener.listening and last.at > monotonic():
            return last.at
        seconds = self._query(names)
        self._last = _Due(names, seen, inf if seconds is None else monotonic() + seconds)
        return self._last.at
