"""A clock that a test moves forward, in place of the store's own clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from inspect import getmembers, isfunction, signature
from typing import Any

from ..contract import validation
from ..contract.backend import Backend
from ..errors import InvalidArgument


class Clock:
    """The time of a store in a test. It only moves forward.

    Without a start, the clock runs ahead of the real time by the sum of all moves. With a start, it stands still
    between the moves, so that a test can compare times.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._stopped_at = None if start is None else validation.utc(start, "start")
        self.ahead = timedelta(0)
        """The sum of all moves."""

    def now(self) -> datetime:
        """Return the current time."""
        return (datetime.now(UTC) if self._stopped_at is None else self._stopped_at) + self.ahead

    def move_to(self, moment: datetime) -> None:
        """Move the clock forward to a moment. An earlier moment has no effect."""
        self.ahead += max(moment - self.now(), timedelta(0))


def use_clock(backend: Backend, clock: Clock) -> None:
    """Pass the clock's time to each call of a backend that takes `now`. The contract makes it the time of the call."""
    for name, method in getmembers(Backend, isfunction):
        if "now" in signature(method).parameters:
            setattr(backend, name, _with_now(getattr(backend, name), clock))


def _with_now(method: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, now: datetime | None = None, **kwargs: Any) -> Any:
        return method(*args, now=clock.now() if now is None else now, **kwargs)

    return call


def length(*, days: float, hours: float, minutes: float, seconds: float) -> timedelta:
    """Return the length of a move of the clock. Reject one that is not positive."""
    moved = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if moved <= timedelta(0):
        raise InvalidArgument(f"advance() was called with {moved}; pass a positive length, e.g. advance(hours=1)")
    return moved
