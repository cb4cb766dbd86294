"""The jobs that a worker has in hand, and how many more it may claim."""

from collections.abc import Iterable
from threading import Event
from time import monotonic

from .attempt import Attempt

HORIZON = 0.1
"""Seconds of work to claim ahead, so that handlers have something to do while the next claim is on its way."""

_SAMPLE = 0.005


class InFlight:
    """Jobs in three sets, each within the one before: `held` (not settled), `open` (not ended), `waiting` (not begun).

    A job leaves a set by `set.remove`, which is atomic: whoever removes it has decided, and anybody later learns so. No
    lock is taken for a job. `slots` is how many jobs can be worked at once. `claiming_since` is when a claim began
    (by the worker's clock) whose jobs may be the worker's own, and are not in hand yet.
    """

    def __init__(self, slots: int, batch: int) -> None:
        self.held: set[Attempt] = set()
        self.open: set[Attempt] = set()
        self.waiting: set[Attempt] = set()
        self.freed = Event()
        self.claiming_since: float | None = None
        self._places = slots
        self._most_ahead = 2 * batch
        self._worked = 0
        self._sampled = (monotonic(), 0)
        self._rate = 0.0

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Have claimed jobs in hand."""
        self.held.update(attempts)
        self.open.update(attempts)
        self.waiting.update(attempts)

    def begin(self, attempt: Attempt) -> bool:
        """Decide that a job is worked now; False if it was given back meanwhile."""
        return _remove(self.waiting, attempt)

    def end(self, attempt: Attempt) -> bool:
        """Decide that an attempt has its outcome; False if it had one already."""
        return _remove(self.open, attempt)

    def settled(self, attempts: list[Attempt]) -> None:
        """Have jobs in hand no longer."""
        self.held.difference_update(attempts)
        self._worked += sum(attempt.started_at is not None for attempt in attempts)
        self.freed.set()

    def room(self) -> int:
        """Return how many jobs to claim now: none while more than half of what is claimed ahead still waits."""
        ahead = min(int(self._measured_rate() * HORIZON), self._most_ahead)
        room = self._places + ahead - len(self.held)
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
