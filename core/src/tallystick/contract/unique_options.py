"""Checks of the options about unique keys, for new jobs and for kinds of jobs."""

from datetime import timedelta

from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr
from . import validation

_EVENTS = ("started", "finished", "purged")
_POLICIES = ("skip", "replace", "debounce")


def check_until(value: str | timedelta) -> None:
    """Reject a value that is neither an event in a job's life nor a time of whole seconds."""
    if isinstance(value, timedelta):
        validation.whole_seconds(value, "unique_until")
    elif not isinstance(value, str) or value not in _EVENTS:
        raise InvalidArgument(
            f"unique_until is {safe_repr(value)}; it must be 'started', 'finished', 'purged' or a timedelta"
        )


def check_conflict(policy: str, debounce_max: timedelta | None) -> None:
    """Reject a policy that does not exist, and a maximum that the policy does not read."""
    if not isinstance(policy, str) or policy not in _POLICIES:
        raise InvalidArgument(f"on_conflict is {safe_repr(policy)}; it must be 'skip', 'replace' or 'debounce'")
    if debounce_max is not None:
        validation.whole_seconds(debounce_max, "debounce_max")
        if policy != "debounce":
            raise InvalidArgument(f"debounce_max is set, but on_conflict is {policy!r}; set on_conflict='debounce'")
