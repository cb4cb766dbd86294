"""Exceptions that a handler raises to snooze or discard its job, or to stop."""

from datetime import datetime, timedelta

from ..contract import validation
from ..errors import InvalidArgument


class Snooze(Exception):
    """Snooze the job until `run_at`, an aware datetime or a delay, without using up an attempt."""

    def __init__(self, run_at: datetime | timedelta) -> None:
        if run_at is None:
            raise InvalidArgument("run_at is None; it must be an aware datetime or a timedelta of zero or more")
        validation.due(run_at)
        super().__init__(run_at)
        self.run_at = run_at


class DiscardJob(Exception):
    """Discard the job now, with this exception as its error, even if it has attempts left."""


class Stopped(Exception):
    """Raised by `Context.check` when the handler should stop, for example because its job was cancelled."""
