"""Waiting for due jobs: the server is asked when the first is due, and again only when that may have changed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import inf
from time import monotonic

from .listener import Listener

AskDue = Callable[[Sequence[str]], float | None]
"""Asks the server in how many seconds the first job of some queues is due; None if none waits."""


def wait(names: Sequence[str], timeout: timedelta, ask: AskDue, listener: Listener) -> bool:
    """Wait until a job of these queues is due, or for the time given; say which."""
    deadline = monotonic() + timeout.total_seconds()
    while True:
        seen = listener.woken
        seconds = ask(names)
        now = monotonic()
        due = inf if seconds is None else now + seconds
        if due <= now:
            return True
        if deadline <= now or not listener.wait(seen, min(due, deadline) - now):
            return False
