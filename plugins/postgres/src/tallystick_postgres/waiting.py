"""Wait for due jobs: query when the next job is due, and again only after a change."""

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

from tallystick.backends import waiting
from tallystick.backends.calls import WaitCall
from tallystick.backends.waiting import Seen, WakeUps

from .listener import Listener

QueryDue = Callable[[Sequence[str]], float | None]
"""A function that returns the seconds until the first job of some queues is due; None if no job waits."""


class _Due(NamedTuple):
    """When the first job of some queues is due, by the monotonic clock; valid until one of the queues is woken."""

    queues: Sequence[str]
    seen: Seen
    at: float


class Waiting:
    """Implements `wait`. It caches the last query, because a worker waits for the same queues again and again."""

    def __init__(self, query: QueryDue, wake_ups: WakeUps, listener: Listener) -> None:
        self._query = query
        self._wake_ups = wake_ups
        self._listener = listener
        self._last = _Due((), (), -inf)

    def wait(self, call: WaitCall) -> bool:
        """Wait until a job of these queues is due; return False at the timeout, or once closed."""
        seen: Seen = ()

        def seconds_until_due() -> float:
            nonlocal seen
            seen = self._wake_ups.seen(call.queues)  # before the query, so that no wake-up is missed
            return self._due(call.queues, seen) - monotonic()

        def sleep(seconds: float) -> bool:
            self._listener.start()
            return self._wake_ups.sleep(call.queues, seen, seconds)

        return waiting.wait(seconds_until_due, sleep, call.timeout)

    def _due(self, queues: Sequence[str], seen: Seen) -> float:
        last = self._last
        if (last.queues, last.seen) == (queues, seen) and self._listener.listening and last.at > monotonic():
            return last.at
        seconds = self._query(queues)
        self._last = _Due(queues, seen, inf if seconds is None else monotonic() + seconds)
        return self._last.at
