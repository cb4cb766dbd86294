"""Rules that follow a clock on the wall: cron texts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from ...errors import InvalidArgument, UnknownZone
from ...messages.safe_repr import safe_repr
from .clock_changes import instants
from .rule import Rule

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names for common texts, as in crontab(5)."""

LONGEST_ZONE = 64
"""The maximum length of a zone's name, in characters."""

_ANY = datetime(2000, 1, 1)  # noqa: DTZ001 - a time on the wall has no zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron(Rule):
    """Fires when the clock on the wall of a time zone matches a cron text.

    The text has five fields (minute, hour, day of month, month, day of week), or six with the seconds first. It means
    the same as in Debian's cron, and may also have `L`, `LW` and `MON#2`. A text without a match in 50 years never
    fires.

    When the clocks change, the rule follows cron(8) of Debian:

    - A text with a fixed time has a minute and an hour that do not begin with `*`. It fires once for each time on the
      wall. A tick in a period that the clocks skip fires at the end of that period; several such ticks fire once.
      In a period that the clocks repeat, it fires the first time only.
    - Any other text fires at each instant that matches. It does not fire in a skipped period, and fires twice in a
      repeated one.

    In contrast to Debian's cron, the rule is the same for changes of three hours or more, and for six fields.

    Args:
        text: The cron text, or a nickname such as `@daily`.
        zone: The IANA name of the time zone, e.g. "Europe/Berlin".
    """

    text: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        _zone(self.zone)
        try:
            self._walls(_ANY)
        except (CronSimError, ValueError) as exc:
            raise InvalidArgument(
                f"the rule is {safe_repr(self.text)}, which is not a cron text ({exc}); write five fields, e.g. "
                "'*/5 * * * *' (minute, hour, day of month, month, day of week), or 'every 5 minutes'"
            ) from exc
        Rule.__post_init__(self)  # super() does not work in a dataclass with slots

    def __str__(self) -> str:
        return self.text

    def explain(self) -> str:
        """Return the rule in English words, for people."""
        return CronSim(_fields(self.text), _ANY).explain()

    def _later(self, moment: datetime) -> Iterator[datetime]:
        return instants(self._walls, _zone(self.zone), moment, fixed=self._has_fixed_time())

    def _walls(self, wall: datetime) -> Iterator[datetime]:
        return iter(CronSim(_fields(self.text), wall))

    def _has_fixed_time(self) -> bool:
        minute, hour = _fields(self.text).split()[-5:-3]
        return not minute.startswith("*") and not hour.startswith("*")


def _fields(text: str) -> str:
    return NICKNAMES.get(text.lower(), text)


def check_zone(name: str) -> None:
    """Reject any value but the name of a time zone."""
    _zone(name)


def _zone(name: str) -> ZoneInfo:
    if not isinstance(name, str) or not name.isprintable() or not 1 <= len(name) <= LONGEST_ZONE or name == "localtime":
        raise UnknownZone(f"the time zone is {safe_repr(name)}; it must be an IANA name, e.g. 'Europe/Berlin'")
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as exc:
        close = get_close_matches(name, sorted(available_timezones()), n=3)
        advice = f"did you mean {' or '.join(close)}?" if close else "it must be an IANA name, e.g. 'Europe/Berlin'"
        raise UnknownZone(f"the time zone {safe_repr(name)} is unknown; {advice}") from exc
