"""How much of a tier is run on a slow store: evenly less of it within its time limit, and a least number."""

from collections.abc import Callable
from math import ceil
from time import monotonic

from .shares import Share

_LEAST = 3
"""Schedules of each kind that are tried however long they take."""


class Pace:
    """A time limit for many schedules of some kinds, one kind after another.

        pace = Pace(seconds=1.5, kinds=8)
        for each kind:
            pace.begin()
            n = 1
            while n < count:
                ...             # try the n-th
                n += pace.stride(count - n - 1)

    Where there is time for each schedule, the stride is 1.
    """

    def __init__(self, seconds: float, kinds: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._each = clock, seconds / kinds
        self._until = clock()
        self.tried = 0
        self.left_out = 0

    def begin(self) -> None:
        """Begin the next kind; what those before have not used is its own."""
        self._until += self._each
        self._began, self._tried = self._clock(), 0

    def stride(self, left: int) -> int:
        """Return how far on the next schedule to try is, when one was tried and `left` are left."""
        self.tried += 1
        self._tried += 1
        now = self._clock()
        seconds = (now - self._began) / self._tried
        affordable = max(_LEAST - self._tried, (self._until - now) / seconds if seconds > 0 else left)
        stride = left + 1 if affordable < 1 else max(1, ceil(left / affordable))
        self.left_out += min(stride - 1, left)
        return stride

    def affords_another(self, *, least: int) -> bool:
        """Say whether to try one more of what is drawn, and count it: `least` are tried however long they take."""
        affordable = self.tried < least or self._clock() < self._until
        self.tried += affordable
        self.left_out += not affordable
        return affordable


def share(*paces: Pace, what: str) -> Share:
    """Return how much of a tier was run."""
    tried, left_out = sum(pace.tried for pace in paces), sum(pace.left_out for pace in paces)
    return Share(what, tried, tried + left_out)
