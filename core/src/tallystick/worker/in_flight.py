"""Track the claimed jobs of a worker, and how many more it may claim."""

from collections.abc import Collection
from threading import Event
from time import monotonic

from . import clock
from .attempt import Attempt
from .rest import Rest

HORIZON = 0.1
"""Seconds of work to claim ahead, at least."""

_LONGEST_HORIZON = 2.0
_CLAIMS_AHEAD = 4
"""How many claims the work claimed ahead outlasts. The next claim begins when half of the work is left."""

_SLOW = 0.1
"""Seconds from which a claim is slow, e.g. because it skips dead rows that an open transaction keeps."""

_WINDOW = 0.25
"""Seconds for which the rate is measured, at least. Jobs that ran at the same time end together."""


class InFlight:
    """Three nested sets of attempts: `held` (not settled) contains `open` (not ended) contains `waiting` (not started).

    An attempt leaves a set by `set.remove`, which is atomic and needs no lock: the first thread to remove it wins, and
    later callers get False. `slots` is how many jobs can run at once. A claim takes at most `batch` jobs, a slow
    one `slow_batch`. `claiming_since` is when a claim began (by the worker's clock) that may hold jobs which are not in
    the sets yet.
    """

    def __init__(self, slots: int, batch: int, slow_batch: int) -> None:
        self.held: set[Attempt] = set()
        self.open: set[Attempt] = set()
        self.waiting: set[Attempt] = set()
        self.freed = Event()
        self.rest = Rest(self.held)
        self.claiming_since: float | None = None
        self._slots = slots
        self._batch = batch
        self._slow_batch = slow_batch
        self._worked = 0
        self._claim_seconds = 0.0
        self._claim_again_at = -1
        self.measure_again()

    def measure_again(self) -> None:
        """Measure the rate from now on, because the worker had no jobs until now."""
        self._before = self._sampled = (monotonic(), self._worked)

    def take(self, attempts: Collection[Attempt]) -> None:
        """Add newly claimed attempts."""
        if self.claiming_since is not None:
            self._claim_seconds = (self._claim_seconds + clock.seconds() - self.claiming_since) / 2
        self.held.update(attempts)
        self.rest.taken += len(attempts)
        self.open.update(attempts)
        self.waiting.update(attempts)

    def begin(self, attempt: Attempt) -> bool:
        """Start an attempt; False if it was started or released before."""
        return _remove(self.waiting, attempt)

    def end(self, attempt: Attempt) -> bool:
        """End an attempt; False if it had ended before."""
        removed = _remove(self.open, attempt)
        if len(self.open) <= self._claim_again_at and not self.freed.is_set():
            self.freed.set()
        return removed

    def settled(self, attempts: list[Attempt]) -> None:
        """Remove settled attempts."""
        self.held.difference_update(attempts)
        self._worked += sum(attempt.started_at is not None for attempt in attempts)
        self.freed.set()

    def room(self) -> int:
        """Return how many jobs to claim now: 0 until the jobs claimed ahead have dropped to half.

        The end of a job that makes this room sets `freed`.
        """
        horizon, rate = min(max(HORIZON, _CLAIMS_AHEAD * self._claim_seconds), _LONGEST_HORIZON), self._rate()
        limit = self._limit(rate)
        ahead = min(int(rate * horizon), 2 * limit)
        most = self._slots + ahead - len(self.open)
        held = self._slots + 3 * limit - len(self.held)  # so that claims go on while one batch is settled
        if (room := min(most, held)) > ahead // 2:
            return min(room, limit)
        self._claim_again_at = self._slots + ahead - ahead // 2 - 1 if most < held else -1
        return 0

    def _limit(self, rate: float) -> int:
        """Return the most jobs of a claim. A slow one may take twice the jobs that end until it returns."""
        if self._claim_seconds < _SLOW:
            return self._batch
        return max(self._batch, min(int(2 * rate * self._claim_seconds), self._slow_batch))

    def _rate(self) -> float:
        """Return how many jobs a second ended, for the last one or two windows. In each, all slots ended a job."""
        now = monotonic()
        then, worked = self._sampled
        if now - then >= _WINDOW and self._worked - worked >= self._slots:
            self._before, self._sampled = self._sampled, (now, self._worked)
        then, worked = self._before
        return (self._worked - worked) / (now - then) if now > then else 0.0


def _remove(attempts: set[Attempt], attempt: Attempt) -> bool:
    try:
        attempts.remove(attempt)
    except KeyError:
        return False
    return True
