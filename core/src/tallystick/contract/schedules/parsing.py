"""Read the text of a rule."""

from datetime import datetime, timedelta
from functools import lru_cache

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .. import validation
from .cron import Cron, check_zone
from .every import Every
from .rule import Rule

LONGEST_RULE = 255
"""The maximum length of a rule, in characters. It bounds the time and the memory that any text can take."""


def parse_rule(
    rule: str | timedelta, *, zone: str = "UTC", start: datetime | None = None, end: datetime | None = None
) -> Rule:
    """Return the rule of a text such as `every 5 minutes`, `*/5 * * * *` or `@daily`.

    Args:
        rule: At most 255 ASCII characters. A timedelta means the same as "every ...".
        zone: The IANA time zone of a cron text. "every ..." counts elapsed time and has none.
        start: The rule does not fire earlier.
        end: The rule fires only before this time.

    Raises:
        InvalidArgument: The text is not a rule, or the rule never fires.
        UnknownZone: The time zone is unknown.
    """
    check_zone(zone)
    start = None if start is None else validation.utc(start, "start")
    end = None if end is None else validation.utc(end, "end")
    if isinstance(rule, timedelta):
        return Every(interval=rule, start=start, end=end)
    if not isinstance(rule, str) or not rule.isascii() or not 1 <= len(rule) <= LONGEST_RULE:
        raise InvalidArgument(
            f"the rule is {safe_repr(rule)}; it must be a text of 1 to {LONGEST_RULE} ASCII characters, e.g. "
            "'every 5 minutes' or '*/5 * * * *'"
        )
    return _parse(str(rule), str(zone), start, end)


@lru_cache(maxsize=1_024)
def _parse(rule: str, zone: str, start: datetime | None, end: datetime | None) -> Rule:
    text = " ".join(rule.split())
    if not text.lower().startswith("every"):
        return Cron(text=text, zone=zone, start=start, end=end)
    if zone != "UTC":
        raise InvalidArgument(
            f"the zone of {safe_repr(text)} is {safe_repr(zone)}; it counts elapsed time, so it has no "
            "zone. Use a cron text to fire at a time of day"
        )
    return Every.read(text, start, end)
