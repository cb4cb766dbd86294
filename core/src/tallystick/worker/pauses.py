"""How long to pause between two tries, in seconds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from math import inf
from time import monotonic

from ..contract import validation

_FIRST_POLL, _LONGEST_POLL = 0.002, 0.1
"""The first pause between two polls of a job's result, and the longest."""


def doubling(first: float, longest: float) -> Iterator[float]:
    """Yield pauses without end. Each is twice as long as the one before, up to the longest."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, longest)


def until(timeout: timedelta | None, clock: Callable[[], float] = monotonic) -> Iterator[float]:
    """Yield the pauses between the polls of a job's result, until the timeout has passed. Poll once more afterwards.

    Without a timeout, yield pauses without end.
    """
    end = inf if timeout is None else clock() + validation.not_negative(timeout, "timeout").total_seconds()
    for pause in doubling(_FIRST_POLL, _LONGEST_POLL):
        left = end - clock()
        if left <= 0:
            return
        yield min(pause, left)
