"""Fit a tier into its time limit: on a slow store, run an evenly spread selection, but at least a minimum."""

from collections.abc import Callable
from math import ceil
from time import monotonic

from .shares import Share

_LEAST = 3
"""The minimum of schedules of each kind, regardless of time."""


class Pace:
    """Divides a time limit among several kinds of schedules, which run one kind after another.

        pace = Pace(seconds=1.5, kinds=8)
        for each kind:
            pace.begin()
            n = 1
            while n < count:
                ...             # run the n-th
                n += pace.stride(count - n - 1)

    If there is time for every schedule, the stride is 1.
    """

    def __init__(self, seconds: float, kinds: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._each = clock, seconds / kinds
        self._until = clock()
        self.tried = 0
        self.left_out = 0

    def begin(self) -> None:
        """Start the next kind; it also gets the time that earlier kinds did not use."""
        self._until += self._each
        self._began, self._tried = self._clock(), 0

    def stride(self, left: int) -> int:
        """Return the distance to the next schedule to run, after one was run and `left` remain."""
        self.tried += 1
        self._tried += 1
        now = self._clock()
        seconds = (now - self._began) / self._tried
        affordable = max(_LEAST - self._tried, (self._until - now) / seconds if seconds > 0 else left)
        stride = left + 1 if affordable < 1 else max(1, ceil(left / affordable))
        self.left_out += min(stride - 1, left)
        return stride

    def affords_another(self, *, least: int) -> bool:
        """Return whether to run one more random test, and count it; the first `least` run regardless of time."""
        affordable = self.tried < least or self._clock() < self._until
        self.tried += affordable
        self.left_out += not affordable
        return affordable


def share(*paces: Pace, what: str) -> Share:
    """Return the share of a tier that was run."""
    tried, left_out = sum(pace.tried for pace in paces), sum(pace.left_out for pace in paces)
    return Share(what, tried, tried + left_out)
