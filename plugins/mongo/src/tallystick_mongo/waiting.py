"""Wait for due jobs. Query the server for the next due time, and again only after a change that may affect it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import inf
from time import monotonic

from .listener import Listener

SecondsUntilDue = Callable[[Sequence[str]], float | None]
"""Queries the server for the seconds until the first job of the queues is due; None if no job waits."""


def wait(names: Sequence[str], timeout: timedelta, seconds_until_due: SecondsUntilDue, listener: Listener) -> bool:
    """Wait until a job of the queues is due, and return True; return False at the timeout or after `close`."""
    deadline = monotonic() + timeout.total_seconds()
    while True:
        seen = listener.woken
        seconds = seconds_until_due(names)
        now = monotonic()
        due = inf if seconds is None else now + seconds
        if due <= now:
            return True
        if deadline <= now or not listener.wait(seen, min(due, deadline) - now):
            return False
