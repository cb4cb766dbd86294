"""Due and expired at the moment; precision, rounding, and the ends of the calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tallystick import Claim, Complete, Filter, Hold, InvalidArgument, NewRecord, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LEAST, ODD_TICKS

_FAR = (
    datetime(1, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2262, 4, 11, 23, 47, 17, tzinfo=UTC),
    datetime(2555, 5, 5, 5, 5, 5, 123_457, tzinfo=UTC),
    datetime(9998, 12, 31, 23, 59, 58, 999_999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
)


@example("TIME-01")
def due_at_the_moment(case: Case) -> None:
    """New, retried and released jobs are due at `run_at`, and not a microsecond earlier."""
    tick = case.capabilities.time_precision
    due = NOW + LEASE + ODD_TICKS * tick
    for offset, count in ((-LEAST, 0), (timedelta(0), 3), (LEAST, 3)):
        retried, released = case.running().claim, case.running().claim
        case.backend.settle([Retry(retried, due, ERROR), Release(released, due)], now=NOW)
        case.insert(NewRecord(kind="k", run_at=due))
        case.equal(count, case.backend.stats(now=due + offset).by_queue["default"].due)
        case.equal(count, len(case.claim(now=due + offset)))
        case.equal(3 - count, len(case.claim(now=due)))
        case.backend.rescue(limit=9, now=due + 2 * LEASE)
        case.backend.delete(Filter(), limit=9)


@example("TIME-02")
def expired_at_the_moment(case: Case) -> None:
    """A claimed or extended lease expires at `lease_until`, and not earlier."""
    tick = case.capabilities.time_precision
    now = NOW + ODD_TICKS * tick
    for offset, count in ((-LEAST, 0), (timedelta(0), 1), (LEAST, 1)):
        case.insert(NewRecord(kind="k"))
        claimed = case.only(case.claim(now=now))
        case.equal(count, len(case.backend.rescue(limit=9, now=now + LEASE + offset)))
        if not count:
            case.equal([Hold.HELD], list(case.backend.extend([claimed.claim], lease=LEASE, now=now + LEASE)))
            case.equal(0, len(case.backend.rescue(limit=9, now=now + 2 * LEASE - tick)))
            case.equal(1, len(case.backend.rescue(limit=9, now=now + 2 * LEASE)))
        case.backend.delete(Filter(), limit=9)


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


@example("TIME-05")
def far_times_are_kept_or_rejected(case: Case) -> None:
    """A `run_at` far from today is stored to the declared precision and never earlier, or is rejected."""
    for moment in _FAR:
        try:
            record = case.insert(NewRecord(kind="k", run_at=moment))[0]
        except InvalidArgument:
            continue
        late = case.stored(record).run_at - moment
        case.that(timedelta(0) <= late < case.capabilities.time_precision, f"run_at={moment.isoformat()}", record)
    case.that(
        len(case.backend.list(Filter(), limit=100)) <= len(_FAR), "at most one record for each time", "more records"
    )


@example("TIME-06")
def due_times_are_rounded_up(case: Case) -> None:
    """insert, Retry and Release store `run_at` exactly or less than time_precision later."""
    for microseconds in (1, 499, 500, 501, 999, 999_499, 999_999):
        due = NOW + timedelta(microseconds=microseconds)
        _require_rounded_up(case, due, case.insert(NewRecord(kind="k", run_at=due))[0].run_at)
        _require_rounded_up(case, due, case.insert(NewRecord(kind="k", run_at=due - NOW))[0].run_at)
    retried, released = case.running(queue="default").claim, case.running(queue="default").claim
    due = NOW + 123_457 * LEAST
    case.backend.settle([Retry(retried, due, ERROR), Release(released, due - NOW)], now=NOW)
    for record in case.backend.get([retried.id, released.id]).values():
        _require_rounded_up(case, due, record.run_at)


def _require_rounded_up(case: Case, due: datetime, stored: datetime) -> None:
    precision = case.capabilities.time_precision
    case.that(due <= stored < due + precision, f"{due.isoformat()}, or less than {precision} later", stored)


@example("TIME-06")
def nothing_is_claimed_early(case: Case) -> None:
    """A job is not claimed a microsecond before its `run_at`, and is claimed once it is due."""
    for microseconds in (1, 500, 999_999):
        due = NOW + timedelta(microseconds=microseconds)
        case.insert(NewRecord(kind="k", run_at=due))
        case.equal([], case.claim(now=due - LEAST))
        case.equal(1, len(case.claim(now=due + case.capabilities.time_precision)))


@example("TIME-08")
def times_after_the_calendar_are_rejected(case: Case) -> None:
    """Each call that takes a delay or lease rejects one that would end after the year 9999."""
    record = case.running()
    backend, claim, ever = case.backend, record.claim, timedelta(days=366 * 9_000)
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.insert([NewRecord(kind="k"), NewRecord(kind="k", run_at=ever)], now=NOW),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=ever, now=NOW),
        lambda: backend.extend([claim], lease=ever, now=NOW),
        lambda: backend.settle([Retry(claim, ever, ERROR)], now=NOW),
        lambda: backend.settle([Release(Claim(claim.id, 1), ever)], now=NOW),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)


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
