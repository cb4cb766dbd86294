"""Track the claimed jobs of a worker, and how many more it may claim."""

from collections.abc import Iterable
from threading import Event
from time import monotonic

from .attempt import Attempt

HORIZON = 0.1
"""Seconds of work to claim ahead, so that handlers stay busy during the next claim."""

_SAMPLE = 0.005


class InFlight:
    """Three nested sets of attempts: `held` (not settled) contains `open` (not ended) contains `waiting` (not started).

    An attempt leaves a set by `set.remove`, which is atomic and needs no lock: the first thread to remove it wins, and
    later callers get False. `slots` is how many jobs can run at once. `claiming_since` is when a claim began (by the
    worker's clock) that may hold jobs which are not in the sets yet.
    """

    def __init__(self, slots: int, batch: int) -> None:
        self.held: set[Attempt] = set()
        self.open: set[Attempt] = set()
        self.waiting: set[Attempt] = set()
        self.freed = Event()
        self.claiming_since: float | None = None
        self._slots = slots
        self._most_ahead = 2 * batch
        self._worked = 0
        self._sampled = (monotonic(), 0)
        self._rate = 0.0

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Add newly claimed attempts."""
        self.held.update(attempts)
        self.open.update(attempts)
        self.waiting.update(attempts)

    def begin(self, attempt: Attempt) -> bool:
        """Start an attempt; False if it was started or released before."""
        return _remove(self.waiting, attempt)

    def end(self, attempt: Attempt) -> bool:
        """End an attempt; False if it had ended before."""
        return _remove(self.open, attempt)

    def settled(self, attempts: list[Attempt]) -> None:
        """Remove settled attempts."""
        self.held.difference_update(attempts)
        self._worked += sum(attempt.started_at is not None for attempt in attempts)
        self.freed.set()

    def room(self) -> int:
        """Return how many jobs to claim now: 0 until the jobs claimed ahead have dropped to half."""
        ahead = min(int(self._measured_rate() * HORIZON), self._most_ahead)
        room = self._slots + ahead - len(self.held)
        return room if room > ahead // 2 else 0

    def _measured_rate(self) -> float:
        now, (then, worked) = monotonic(), self._sampled
        if now - then >= _SAMPLE:
            self._rate = (self._rate + (self._worked - worked) / (now - then)) / 2
            self._sampled = (now, self._worked)
        return self._rate


def _remove(attempts: set[Attempt], attempt: Attempt) -> bool:
    try:
        attempts.remove(attempt)
    except KeyError:
        return False
    return True
