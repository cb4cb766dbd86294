"""Clients whose clocks differ, the time zone of the process, and times far from today."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from tallystick import Complete, Failure, Filter, Hold, InvalidArgument, NewRecord, Release, Retry, State

from ..contract.typed import flaws
from ..harness.case import EXAMPLES, LEASE, NOW, Case, example

_HOUR = timedelta(hours=1)
_ERROR = Failure("E", "m")
_ZONES = ("NPT-5:45", "NST3:30NDT2:30,M3.2.0,M11.1.0")
"""Kathmandu and St John's as POSIX TZ strings, which need no time zone database."""

_ZONE_VARIABLES = ("TZ", "PGTZ")
"""Environment variables that set the time zone of the process and of its sessions on a server."""

_ELSEWHERE = tuple(timezone(timedelta(minutes=minutes)) for minutes in (345, -150, 14 * 60, -12 * 60))


@example("TIME-09")
def clocks_an_hour_apart(case: Case) -> None:
    """If the clocks of two clients are an hour apart, each call compares and writes times by its own `now`."""
    ahead, behind = case.client(), case.backend
    record = ahead.insert([NewRecord(kind="k")], now=NOW + _HOUR)[0].record
    case.equal([], list(behind.claim(["default"], limit=1, worker="b", lease=LEASE, now=NOW)))
    record = case.only(ahead.claim(["default"], limit=1, worker="a", lease=LEASE, now=NOW + _HOUR))
    case.equal([], list(behind.rescue(limit=1, now=NOW)))
    case.equal([Hold.HELD], list(behind.extend([record.claim], lease=LEASE, now=NOW)))
    held = case.stored(record)
    case.equal((NOW + LEASE, NOW), (held.lease_until, held.updated_at))
    case.equal([record.id], [lost.id for lost in ahead.rescue(limit=1, now=NOW + _HOUR)])
    case.equal([], list(behind.claim(["default"], limit=1, worker="b", lease=LEASE, now=NOW)))


@example("TIME-09")
def a_clock_that_goes_back(case: Case) -> None:
    """A call with an earlier `now` than the call before it writes that earlier time."""
    record = case.running()
    backend, earlier = case.backend, NOW - _HOUR
    backend.settle([Retry(record.claim, timedelta(0), _ERROR)], now=earlier)
    retrying = case.stored(record)
    case.equal((State.RETRYING, earlier, earlier), (retrying.state, retrying.run_at, retrying.updated_at))
    again = case.only(case.claim(now=earlier))
    case.equal((earlier, earlier + LEASE, NOW), (again.attempted_at, again.lease_until, again.created_at))
    backend.settle([Complete(again.claim)], now=earlier - _HOUR)
    case.equal(earlier - _HOUR, case.stored(record).finished_at)
    case.equal(1, backend.purge([State.COMPLETED], before=earlier, limit=1))


@example("TIME-10")
def zones_of_this_machine_change_nothing(case: Case) -> None:
    """Every example on time zones, far times, rounding and the clock passes in two unusual zones of the process."""
    if not hasattr(time, "tzset"):
        case.notice = "not run: this platform cannot change the time zone of a process"
        return
    for zone in _ZONES:
        with in_zone(zone):
            for clause_id in ("TIME-03", "TIME-05", "TIME-06", "TIME-07"):
                for other in EXAMPLES[clause_id]:
                    with Case(case.clause_id, case.target, case.profile) as fresh:
                        other(fresh)


@contextmanager
def in_zone(zone: str) -> Iterator[None]:
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
        backend.settle([Retry(claim, later, _ERROR)], now=now)
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
    backend.settle([Retry(first.claim, length, _ERROR), Release(second.claim, length)], now=now)
    case.equal([moment + length] * 2, [case.stored(record).run_at for record in (first, second)])


_FAR_NOWS = (
    datetime(1, 1, 3, tzinfo=UTC),
    datetime(1582, 10, 10, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2106, 2, 8, tzinfo=UTC),
    datetime(9998, 12, 31, tzinfo=UTC),
)


@example("TIME-05")
def far_nows_work_or_are_rejected(case: Case) -> None:
    """With a `now` far in the past or future, a job works as usual, or its insert raises InvalidArgument."""
    for now in _FAR_NOWS:
        try:
            record = case.backend.insert([NewRecord(kind="k", run_at=LEASE)], now=now)[0].record
        except InvalidArgument:
            continue
        case.equal([], case.claim(now=now))
        record = case.only(case.claim(now=now + LEASE))
        expected = (now, now + LEASE, now + LEASE, now + 2 * LEASE)
        case.equal(expected, (record.created_at, record.run_at, record.attempted_at, record.lease_until))
        case.equal(1, len(case.backend.rescue(limit=9, now=now + 2 * LEASE)))
        case.equal(now + 2 * LEASE, case.stored(record).run_at)
        case.backend.cancel(Filter(), limit=9, now=now + 2 * LEASE)
        case.equal(1, case.backend.purge([State.CANCELLED], before=now + 3 * LEASE, limit=9))


@example("TIME-05")
def the_far_past_is_due_and_the_far_future_is_not(case: Case) -> None:
    """Jobs due in the far past are claimed in the order of run_at. Jobs due in the far future are not claimed."""
    moments = (datetime(2, 1, 1, tzinfo=UTC), datetime(1950, 1, 1, tzinfo=UTC), NOW, datetime(2040, 1, 1, tzinfo=UTC),
               datetime(2300, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))  # fmt: skip
    kept = []
    for moment in reversed(moments):
        try:
            case.backend.insert([NewRecord(kind="k", run_at=moment)], now=NOW)
        except InvalidArgument:
            continue
        kept.append(moment)
    expected = sorted(moment for moment in kept if moment <= NOW)
    case.equal(expected, [record.run_at for record in case.claim()])
    case.equal(len(kept) - len(expected), case.backend.stats(now=NOW).by_state[State.PENDING])


@example("TIME-11")
def moments_are_exact_to_the_precision(case: Case) -> None:
    """The error of each time that a call writes is less than time_precision."""
    precision, now = case.capabilities.time_precision, NOW + timedelta(microseconds=123_457)
    record = case.backend.insert([NewRecord(kind="k")], now=now)[0].record
    later = record.run_at
    claimed = case.only(case.claim(now=later))
    case.backend.cancel(Filter(), limit=1, now=now)
    case.backend.settle([Complete(claimed.claim)], now=now)
    ended = case.stored(claimed)
    moments: tuple[tuple[datetime, Callable[[], datetime | None]], ...] = (
        (now, lambda: record.created_at),
        (later, lambda: claimed.attempted_at),
        (later + LEASE, lambda: claimed.lease_until),
        (now, lambda: ended.finished_at),
        (now, lambda: ended.updated_at),
    )
    for expected, read in moments:
        moment = read()
        exact = moment is not None and abs(moment - expected) < precision
        case.that(exact, f"{expected.isoformat()}, with an error below {precision}", moment)
