"""Wait for due jobs: query when the next job is due, and again only after a change.

A notification about a job that can be claimed ends a wait without a query. This saves a round trip before each
claim. But if many clients wait, all but one would claim in vain. So a client that found no job queries first, until a
claim finds one.
"""

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
        self._may_guess = True
        self._guessed = False

    def claimed(self, *, found: bool) -> None:
        """Learn from a claim whether the last wait was right to end without a query."""
        if self._guessed or found:
            self._may_guess = found
        self._guessed = False

    def wait(self, call: WaitCall) -> bool:
        """Wait until a job of these queues is due; return False at the timeout, or once closed."""
        seen: Seen = ()
        due = inf

        def seconds_until_due() -> float:
            nonlocal seen, due
            if self._may_guess and self._listener.due(call.queues) > due:
                self._guessed = True
                return 0
            self._listener.look()
            due = self._listener.due(call.queues)
            seen = self._wake_ups.seen(call.queues)  # before the query, so that no wake-up is missed
            return self._due(call.queues, seen) - monotonic()

        def sleep(seconds: float) -> bool:
            return self._listener.sleep(call.queues, seen, seconds)

        return waiting.wait(seconds_until_due, sleep, call.timeout)

    def _due(self, queues: Sequence[str], seen: Seen) -> float:
        last = self._last
        if (last.queues, last.seen) == (queues, seen) and self._listener.listening and last.at > monotonic():
            return last.at
        seconds = self._query(queues)
        self._last = _Due(queues, seen, inf if seconds is None else monotonic() + seconds)
        return self._last.at
