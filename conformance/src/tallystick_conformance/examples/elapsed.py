"""Durations are elapsed time: leases, delays, retries and releases across the clock changes of time zones."""

import time
from datetime import UTC, datetime, timedelta

from tallystick import Failure, Filter, Hold, NewRecord, Release, Retry

from ..harness.case import Case, example
from .clocks import in_zone

_ZONES = (
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
)
"""UTC, and Berlin, New York, Lord Howe (by half an hour) and Sydney, whose clocks change twice a year."""

_MONTH = timedelta(days=31)
_STARTS = tuple(datetime(2031, month, 1, 12, tzinfo=UTC) for month in range(1, 13))
"""Starts of the tested months. Each clock change of each zone lies within a month; no zone changes in all months."""

_ERROR = Failure("E", "m")


@example("TIME-12")
def months_have_31_days_of_24_hours(case: Case) -> None:
    """A lease or delay has its exact length in each zone with summer time, in each month of a year."""
    _test_each_start(case)
    if not hasattr(time, "tzset"):
        case.notice = "run in this process's time zone only: this platform cannot change it"
        return
    for zone in _ZONES:
        with in_zone(zone), Case(case.clause_id, case.target, case.profile) as fresh:
            _test_each_start(fresh)


def _test_each_start(case: Case) -> None:
    for now in _STARTS:
        _test_lengths(case, now, _MONTH, f"q{now.month}")
        _test_lengths(case, now, timedelta(days=1), f"q{now.month}")


def _test_lengths(case: Case, now: datetime, length: timedelta, queue: str) -> None:
    backend, end, tick = case.backend, now + length, case.capabilities.time_precision
    later = backend.insert([NewRecord(kind="later", queue=queue, run_at=length)], now=now)[0].record
    backend.insert([NewRecord(kind=kind, queue=queue) for kind in ("retried", "released")], now=now)
    claimed = backend.claim([queue], limit=3, worker="w", lease=length, now=now)
    case.equal([end, end, end], [later.run_at, *(record.lease_until for record in claimed)])
    retried, released = (record.claim for record in claimed)
    held = backend.extend([retried, released], lease=2 * length, now=now)
    case.equal(([Hold.HELD] * 2, now + 2 * length), (list(held), case.stored(claimed[0]).lease_until))
    backend.settle([Retry(retried, length, _ERROR), Release(released, length)], now=now)
    case.equal([], backend.claim([queue], limit=3, worker="w", lease=length, now=end - tick))
    claimed = backend.claim([queue], limit=3, worker="w", lease=length, now=end)
    case.equal([end] * 3, [record.run_at for record in claimed])
    case.equal([], backend.rescue(limit=3, now=end + length - tick))
    case.equal(3, len(backend.rescue(limit=3, now=end + length)))
    backend.delete(Filter(queues=[queue]), limit=9)
