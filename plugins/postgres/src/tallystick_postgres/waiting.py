"""Waiting for due jobs: the server is asked when the first is due, and again only when that may have changed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import inf
from time import monotonic
from typing import NamedTuple

from .listener import Listener, Seen

AskDue = Callable[[Sequence[str]], float | None]
"""Asks the server in how many seconds the first job of some queues is due; None if none waits."""


class _Due(NamedTuple):
    """When a job of some queues is due, by the monotonic clock, as long as no more is seen."""

    names: Sequence[str]
    seen: Seen
    at: float


class Waiting:
    """What a backend's `wait` does. A worker asks for the same queues again and again, so the last answer is kept."""

    def __init__(self, ask: AskDue, listener: Listener) -> None:
        self._ask = ask
        self._listener = listener
        self._last = _Due((), (), -inf)

    def wait(self, names: Sequence[str], timeout: timedelta) -> bool:
        """Wait until a job of these queues is due, or for the time given; say which."""
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
        seconds = self._ask(names)
        self._last = _Due(names, seen, inf if seconds is None else monotonic() + seconds)
        return self._last.at
