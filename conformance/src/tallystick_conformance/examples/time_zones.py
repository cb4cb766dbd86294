"""Time zones: of arguments, of the process, and with clock changes."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from tallystick import Filter, Hold, InvalidArgument, NewRecord, ProgressReport, Release, Retry, State

from ..contract.typed import flaws
from ..harness.case import EXAMPLES, LEASE, NOW, Case, example
from .common import ERROR

_HOUR = timedelta(hours=1)
_UNUSUAL_ZONES = ("NPT-5:45", "NST3:30NDT2:30,M3.2.0,M11.1.0")
"""Kathmandu and St John's as POSIX TZ strings, which need no time zone database."""

_ZONE_VARIABLES = ("TZ", "PGTZ")
"""Environment variables that set the time zone of the process and of its sessions on a server."""

_ELSEWHERE = tuple(timezone(timedelta(minutes=minutes)) for minutes in (345, -150, 14 * 60, -12 * 60))
_SUMMER_TIME_ZONES = (
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

_NAIVE = datetime(2031, 5, 17, 12)  # noqa: DTZ001 - naive on purpose
_KATHMANDU = timezone(timedelta(hours=5, minutes=45))


@example("TIME-03")
def every_call_takes_any_zone(case: Case) -> None:
    """Each call accepts `now`, `run_at` and `before` in any time zone, with offsets from -12:00 to +14:00."""
    for zone in _ELSEWHERE:
        now, later = NOW.astimezone(zone), (NOW + LEASE).astimezone(zone)
        backend = case.backend
        record = backend.insert([NewRecord(kind="k", run_at=now)], now=now)[0].record
        claimed = case.only(case.claim(now=now))
        case.equal(([], []), (flaws(record), flaws(claimed)))
        claim = claimed.claim
        case.equal([Hold.HELD], list(backend.extend([claim], lease=LEASE, now=now)))
        backend.settle([Retry(claim, later, ERROR)], now=now)
        case.equal((0, 1), tuple(backend.stats(now=at).by_queue["default"].due for at in (now, later)))
        case.equal([], case.claim(now=now))
        claim = case.only(case.claim(now=later)).claim
        case.equal([], list(backend.rescue(limit=1, now=later)))
        backend.settle([Release(claim, now)], now=later)
        backend.cancel(Filter(ids=[record.id]), limit=1, now=later)
        stored = case.stored(record)
        case.equal((NOW, NOW + LEASE, NOW + LEASE), (stored.run_at, stored.finished_at, stored.updated_at))
        case.equal([record.id], list(backend.requeue(Filter(), limit=1, now=now)))
        backend.cancel(Filter(ids=[record.id]), limit=1, now=later)
        case.equal(0, backend.purge([State.CANCELLED], before=later, limit=1))
        tick = case.capabilities.time_precision
        case.equal(1, backend.purge([State.CANCELLED], before=(NOW + LEASE + tick).astimezone(zone), limit=1))


class _SetBack(tzinfo):
    """A time zone in which the hour from 2:00 occurs twice, as on the night when Berlin's clocks go back."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        assert moment is not None
        summer = (moment.hour, moment.fold) < (2, 1) or (moment.hour == 2 and not moment.fold)
        return timedelta(hours=2 if summer else 1)

    def dst(self, moment: datetime | None) -> timedelta:
        return self.utcoffset(moment) - _HOUR

    def tzname(self, moment: datetime | None) -> str:
        return "CET"


@example("TIME-03")
def a_fold_is_two_moments(case: Case) -> None:
    """`fold` distinguishes the two moments of a repeated local time, in `run_at` and in `now`."""
    first = datetime(2031, 10, 26, 2, 30, tzinfo=_SetBack())
    second = first.replace(fold=1)
    case.insert(NewRecord(kind="second", run_at=second), NewRecord(kind="first", run_at=first))
    case.equal(["first"], [record.kind for record in case.claim(now=first)])
    case.equal(["second"], [record.kind for record in case.claim(now=second)])
    case.equal(1, len(case.backend.rescue(limit=9, now=first.astimezone(UTC) + LEASE)))


@example("TIME-03")
def durations_are_elapsed_time(case: Case) -> None:
    """A lease or delay keeps its length if the clocks of its time zone go back before it ends."""
    now = datetime(2031, 10, 26, 1, 30, tzinfo=_SetBack())
    moment, length = now.astimezone(UTC), 3 * _HOUR
    backend = case.backend
    backend.insert([NewRecord(kind=kind) for kind in "ab"], now=now)
    first, second = backend.claim(["default"], limit=2, worker="w", lease=length, now=now)
    later = backend.insert([NewRecord(kind="later", run_at=length)], now=now)[0].record
    case.equal([moment + length] * 3, [first.lease_until, second.lease_until, later.run_at])
    backend.extend([first.claim, second.claim], lease=length + _HOUR, now=now)
    case.equal(moment + length + _HOUR, case.stored(first).lease_until)
    backend.settle([Retry(first.claim, length, ERROR), Release(second.claim, length)], now=now)
    case.equal([moment + length] * 2, [case.stored(record).run_at for record in (first, second)])


@example("TIME-03")
def zones_mean_the_same_moment(case: Case) -> None:
    """`run_at` and `now` in another time zone mean the same moment, and are returned in UTC."""
    case.insert(NewRecord(kind="k", run_at=(NOW + LEASE).astimezone(_KATHMANDU)))
    case.equal([], case.claim(now=(NOW + LEASE - timedelta(seconds=1)).astimezone(_KATHMANDU)))
    record = case.only(case.claim(now=(NOW + LEASE).astimezone(_KATHMANDU)))
    for moment, expected in (
        (record.run_at, NOW + LEASE),
        (record.created_at, NOW),
        (record.attempted_at, NOW + LEASE),
        (record.lease_until, NOW + 2 * LEASE),
    ):
        case.equal((expected, timedelta(0)), (moment, moment.utcoffset() if moment else None))


@example("TIME-03")
def a_repeated_local_time_is_two_moments(case: Case) -> None:
    """The same local time before and after the clocks go back means two moments an hour apart."""
    before, after = (timezone(timedelta(hours=hours)) for hours in (2, 1))
    first, second = (datetime(2031, 10, 26, 2, 30, tzinfo=zone) for zone in (before, after))
    earlier, later = case.insert(NewRecord(kind="k", run_at=first), NewRecord(kind="k", run_at=second))
    case.equal(timedelta(hours=1), later.run_at - earlier.run_at)


@example("TIME-04")
def naive_times_are_rejected(case: Case) -> None:
    """Each call that takes a time rejects a naive one and does nothing."""
    record = case.running()
    backend, claim = case.backend, record.claim
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.insert([NewRecord(kind="k")], now=_NAIVE),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=_NAIVE),
        lambda: backend.extend([claim], lease=LEASE, now=_NAIVE),
        lambda: backend.report_progress([ProgressReport(claim)], now=_NAIVE),
        lambda: backend.settle([Release(claim)], now=_NAIVE),
        lambda: backend.rescue(limit=1, now=_NAIVE),
        lambda: backend.stats(now=_NAIVE),
        lambda: backend.cancel(Filter(), limit=1, now=_NAIVE),
        lambda: backend.requeue(Filter(), limit=1, now=_NAIVE),
        lambda: backend.purge([State.COMPLETED], before=_NAIVE, limit=1),
        lambda: backend.restore([record], now=_NAIVE),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)


@example("TIME-10")
def zones_of_this_machine_change_nothing(case: Case) -> None:
    """Every example on time zones, far times, rounding and the clock passes in two unusual zones of the process."""
    if not hasattr(time, "tzset"):
        case.notice = "not run: this platform cannot change the time zone of a process"
        return
    for zone in _UNUSUAL_ZONES:
        with _in_zone(zone):
            for clause_id in ("TIME-03", "TIME-05", "TIME-06", "TIME-07"):
                for other in EXAMPLES[clause_id]:
                    with Case(case.clause_id, case.target, case.profile) as fresh:
                        other(fresh)


@contextmanager
def _in_zone(zone: str) -> Iterator[None]:
    """Set the time zone of the process, and of the sessions that it opens, within the block."""
    before = {name: os.environ.get(name) for name in _ZONE_VARIABLES}
    os.environ.update(dict.fromkeys(_ZONE_VARIABLES, zone))
    time.tzset()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        time.tzset()


@example("TIME-12")
def months_have_31_days_of_24_hours(case: Case) -> None:
    """A lease or delay has its exact length in each zone with summer time, in each month of a year."""
    _test_each_start(case)
    if not hasattr(time, "tzset"):
        case.notice = "run in this process's time zone only: this platform cannot change it"
        return
    for zone in _SUMMER_TIME_ZONES:
        with _in_zone(zone), Case(case.clause_id, case.target, case.profile) as fresh:
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
    backend.settle([Retry(retried, length, ERROR), Release(released, length)], now=now)
    case.equal([], backend.claim([queue], limit=3, worker="w", lease=length, now=end - tick))
    claimed = backend.claim([queue], limit=3, worker="w", lease=length, now=end)
    case.equal([end] * 3, [record.run_at for record in claimed])
    case.equal([], backend.rescue(limit=3, now=end + length - tick))
    case.equal(3, len(backend.rescue(limit=3, now=end + length)))
    backend.delete(Filter(queues=[queue]), limit=9)
