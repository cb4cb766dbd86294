"""Bugs in durations: the session's time zone changes the length of a day, in each statement that adds days."""

from tallystick_conformance import Mutant

from ..patch import MIGRATION, POSTGRES

broken, patch, patched = POSTGRES.broken, POSTGRES.patch, POSTGRES.patched

_LEASE = "({now} AT TIME ZONE 'UTC' + %(lease)s) AT TIME ZONE 'UTC'"
_CLAIMED = "(at AT TIME ZONE 'UTC' + lease) AT TIME ZONE 'UTC'"
_SUM = "{now} AT TIME ZONE 'UTC' + coalesce(delay, %(delay)s::interval, '0'::interval)"
_DELAY_OF_ONE = "({now} AT TIME ZONE 'UTC' + coalesce(%(delay)s::interval, '0'::interval)) AT TIME ZONE 'UTC'"
_ENDED = "({now} AT TIME ZONE 'UTC' + coalesce(ended.delay, '0'::interval)) AT TIME ZONE 'UTC'"

MUTANTS: tuple[Mutant, ...] = (
    patched("claims for days of the zone", "TIME-12", MIGRATION, _CLAIMED, "at + lease", "",
            "A lease of days ends at the same local time of day."),
    patched("extends by days of the zone", "TIME-12", "extend", _LEASE, "{now} + %(lease)s", "",
            "An extension of days ends at the same local time of day."),
    broken("delays by days of the zone", "TIME-12", "A delay of days ends at the same local time of day.", "",
           patch("insert_batch", f"({_SUM}) AT TIME ZONE 'UTC'", _SUM.replace(" AT TIME ZONE 'UTC'", "")),
           patch("insert_one", _DELAY_OF_ONE, "{now} + coalesce(%(delay)s::interval, '0'::interval)")),
    patched("retries after days of the zone", "TIME-12", "settle", _ENDED,
            "{now} + coalesce(ended.delay, '0'::interval)", "",
            "A Retry with a delay of days is due at the same local time of day."),
)  # fmt: skip
