"""Bugs in durations: the session's time zone changes the length of a day, in each statement that adds days."""

from tallystick_conformance import Mutant

from ..patch import POSTGRES

patched = POSTGRES.patched

_LEASE = "({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC'"
_DELAY = "({now} AT TIME ZONE 'UTC' + coalesce(delay, '0'::interval)) AT TIME ZONE 'UTC'"
_ENDED = "({now} AT TIME ZONE 'UTC' + coalesce(ended.delay, '0'::interval)) AT TIME ZONE 'UTC'"

MUTANTS: tuple[Mutant, ...] = (
    patched("claims for days of the zone", "TIME-12", "claim", _LEASE, "{now} + %(lease)s", "",
            "A lease of days ends at the same local time of day."),
    patched("extends by days of the zone", "TIME-12", "extend", _LEASE, "{now} + %(lease)s", "",
            "An extension of days ends at the same local time of day."),
    patched("delays by days of the zone", "TIME-12", "insert", _DELAY, "{now} + coalesce(delay, '0'::interval)", "",
            "A delay of days ends at the same local time of day."),
    patched("retries after days of the zone", "TIME-12", "settle", _ENDED,
            "{now} + coalesce(ended.delay, '0'::interval)", "",
            "A Retry with a delay of days is due at the same local time of day."),
)  # fmt: skip
