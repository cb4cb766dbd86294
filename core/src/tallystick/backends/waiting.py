"""Implement `wait`: sleep until a job is due, a wake-up arrives, or the time is over."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from math import inf
from threading import TIMEOUT_MAX, Condition
from time import monotonic

Sleep = Callable[[float], bool]
"""Sleeps for at most some seconds, or until a job may be due sooner. Returns False once the client is closed."""


def wait(seconds_until_due: Callable[[], float | None], sleep: Sleep, timeout: timedelta) -> bool:
    """Wait until a job is due, and return True. Return False at the timeout, or once the client is closed.

    Args:
        seconds_until_due: Returns the seconds until the first job is due, or None if no job waits. The loop calls it at
            the start and after each sleep.
    """
    deadline = monotonic() + timeout.total_seconds()
    while True:
        seconds = seconds_until_due()
        now = monotonic()
        due = inf if seconds is None else now + seconds
        if due <= now:
            return True
        if deadline <= now or not sleep(min(due - now, deadline - now, TIMEOUT_MAX)):
            return False


Seen = tuple[int, ...]
"""How often some queues were woken. Compare two of these to detect a missed wake-up."""


class WakeUps:
    """Wakes the calls of `wait` of one client, from other calls and from a thread that listens to the store.

    After each wake-up it calls `on_wake`, for a call that does not sleep here.
    """

    def __init__(self) -> None:
        self.on_wake: Callable[[], None] = lambda: None
        self._condition = Condition()
        self._woken: Counter[str] = Counter()
        self._all_woken = 0
        self._closed = False

    def wait(
        self, queues: Sequence[str], seconds_until_due: Callable[[Sequence[str]], float | None], timeout: timedelta
    ) -> bool:
        """Wait as the function `wait` does. A wake-up of one of the queues makes it query again."""
        seen: Seen = ()

        def query() -> float | None:
            nonlocal seen
            seen = self.seen(queues)  # before the query, so that no wake-up is missed
            return seconds_until_due(queues)

        return wait(query, lambda seconds: self.sleep(queues, seen, seconds), timeout)

    def seen(self, queues: Sequence[str]) -> Seen:
        """Return how often these queues were woken so far."""
        with self._condition:
            return self._seen(queues)

    def sleep(
        self, queues: Sequence[str], seen: Seen, seconds: float, until: Callable[[], bool] = lambda: False
    ) -> bool:
        """Sleep until one of the queues is woken after `seen`, for at most `seconds`. Return False once closed.

        Each wake-up also ends the sleep if the condition `until` is true by then.
        """

        def is_over() -> bool:
            return self._closed or self._seen(queues) != seen or until()

        with self._condition:
            self._condition.wait_for(is_over, min(seconds, TIMEOUT_MAX))
            return not self._closed

    def wake(self, queues: Iterable[str]) -> None:
        """Wake the calls that wait for these queues."""
        with self._condition:
            for queue in queues:  # faster than `update`
                self._woken[queue] += 1
            self._condition.notify_all()
        self.on_wake()

    def wake_all(self) -> None:
        """Wake all calls."""
        with self._condition:
            self._all_woken += 1
            self._condition.notify_all()
        self.on_wake()

    def close(self) -> None:
        """Wake all calls for good."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self.on_wake()

    def _seen(self, queues: Sequence[str]) -> Seen:
        return (self._all_woken, *(self._woken[queue] for queue in queues))
