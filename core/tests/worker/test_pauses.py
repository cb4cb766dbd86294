"""The pauses between two tries."""

from datetime import timedelta
from itertools import islice

import pytest
from tallystick import InvalidArgument
from tallystick.worker import pauses


class Clock:
    """A clock that moves only by `sleep`."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the time on."""
        self.now += seconds


def test_doubling() -> None:
    """Each pause is twice as long as the one before, up to the longest."""
    assert list(islice(pauses.doubling(1, 5), 5)) == [1, 2, 4, 5, 5]


def test_until_the_timeout() -> None:
    """The pauses together are as long as the timeout."""
    clock, slept = Clock(), []
    for pause in pauses.until(timedelta(seconds=1), clock):
        slept.append(pause)
        clock.sleep(pause)
    assert slept[:3] == [0.002, 0.004, 0.008]
    assert max(slept) == 0.1
    assert clock.now == pytest.approx(1)


def test_late() -> None:
    """The time between the pauses counts, too."""
    clock = Clock()
    polls = pauses.until(timedelta(seconds=1), clock)
    next(polls)
    clock.sleep(2)
    assert list(polls) == []


def test_no_timeout() -> None:
    """Without a timeout there is no pause."""
    assert list(pauses.until(timedelta(0))) == []


def test_negative() -> None:
    """A negative timeout is rejected."""
    with pytest.raises(InvalidArgument, match="timeout is"):
        next(pauses.until(timedelta(seconds=-1)))
