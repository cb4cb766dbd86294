"""What a handler raises to end its attempt in another way than by returning or failing."""

from datetime import datetime, timedelta

from . import validation
from .errors import InvalidArgument


class Snooze(Exception):
    """Put the job off until `run_at`, an aware datetime or a delay; it costs no attempt."""

    def __init__(self, run_at: datetime | timedelta) -> None:
        if run_at is None:
            raise InvalidArgument("run_at is None; it must be an aware datetime or a timedelta of zero or more")
        validation.due(run_at)
        super().__init__(run_at)
        self.run_at = run_at


class DiscardJob(Exception):
    """Discard the job now, whatever attempts are left, with this as its error."""


class Stopped(Exception):
    """The work should stop, since its outcome no longer matters or is not wanted; raised by `Context.check`."""
