"""Times: zones, precision, the ends of the calendar, and the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from tallystick import Claim, Failure, Filter, InvalidArgument, NewRecord, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example

NAIVE = datetime(2031, 5, 17, 12)  # noqa: DTZ001 - naive on purpose
KATHMANDU = timezone(timedelta(hours=5, minutes=45))
US = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
FAR = (
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


@example("TIME-03")
def zones_mean_the_same_moment(case: Case) -> None:
    """`run_at` and `now` in another time zone mean the same moment, and are returned in UTC."""
    case.insert(NewRecord(kind="k", run_at=(NOW + LEASE).astimezone(KATHMANDU)))
    case.equal([], case.claim(now=(NOW + LEASE - timedelta(seconds=1)).astimezone(KATHMANDU)))
    record = case.only(case.claim(now=(NOW + LEASE).astimezone(KATHMANDU)))
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
        lambda: backend.insert([NewRecord(kind="k")], now=NAIVE),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=NAIVE),
        lambda: backend.extend([claim], lease=LEASE, now=NAIVE),
        lambda: backend.settle([Release(claim)], now=NAIVE),
        lambda: backend.rescue(limit=1, now=NAIVE),
        lambda: backend.stats(now=NAIVE),
        lambda: backend.cancel(Filter(), limit=1, now=NAIVE),
        lambda: backend.requeue(Filter(), limit=1, now=NAIVE),
        lambda: backend.purge([State.COMPLETED], before=NAIVE, limit=1),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)


@example("TIME-05")
def far_times_are_kept_or_rejected(case: Case) -> None:
    """A `run_at` far from today is stored to the declared precision and never earlier, or is rejected."""
    for moment in FAR:
        try:
            record = case.insert(NewRecord(kind="k", run_at=moment))[0]
        except InvalidArgument:
            continue
        late = case.stored(record).run_at - moment
        case.that(timedelta(0) <= late < case.capabilities.time_precision, f"run_at={moment.isoformat()}", record)
    case.that(
        len(case.backend.list(Filter(), limit=100)) <= len(FAR), "at most one record for each time", "more records"
    )


@example("TIME-06")
def due_times_are_rounded_up(case: Case) -> None:
    """insert, Retry and Release store `run_at` exactly or less than time_precision later."""
    for microseconds in (1, 499, 500, 501, 999, 999_499, 999_999):
        due = NOW + timedelta(microseconds=microseconds)
        _require_rounded_up(case, due, case.insert(NewRecord(kind="k", run_at=due))[0].run_at)
        _require_rounded_up(case, due, case.insert(NewRecord(kind="k", run_at=due - NOW))[0].run_at)
    retried, released = case.running(queue="default").claim, case.running(queue="default").claim
    due = NOW + 123_457 * US
    case.backend.settle([Retry(retried, due, Failure("E", "m")), Release(released, due - NOW)], now=NOW)
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
        case.equal([], case.claim(now=due - US))
        case.equal(1, len(case.claim(now=due + case.capabilities.time_precision)))


@example("TIME-07")
def the_clock_is_the_backends_own(case: Case) -> None:
    """Without `now`, each call writes the current time, within ten minutes of this machine's clock."""
    backend, about = case.backend, timedelta(minutes=10)
    backend.insert([NewRecord(kind="k"), NewRecord(kind="future", run_at=timedelta(hours=1))])
    backend.wait(["default"], timeout=timedelta(seconds=5))  # a rounded-up run_at may be a moment in the future
    record = case.only(backend.claim(["default"], limit=2, worker="w", lease=LEASE))
    case.equal("k", record.kind)
    case.equal(0, len(backend.rescue(limit=1)))
    case.equal(1, backend.stats().by_queue["default"].total - len(backend.list(Filter(kinds=["k"]), limit=9)))
    backend.extend([record.claim], lease=2 * LEASE)
    backend.settle([Retry(record.claim, timedelta(0), Failure("E", "m"))])
    backend.cancel(Filter(kinds=["k"]), limit=1)
    now = datetime.now(UTC)
    stored = case.stored(record)
    moments = (stored.created_at, stored.attempted_at, stored.run_at, stored.finished_at, stored.updated_at)
    for moment in moments:
        case.that(moment is not None and abs(moment - now) < about, f"about {now.isoformat()}", moment)
    backend.requeue(Filter(kinds=["k"]), limit=1)
    again = case.stored(record).run_at
    case.that(abs(again - now) < about, f"about {now.isoformat()}", again)


@example("TIME-07")
def every_call_uses_the_clock(case: Case) -> None:
    """Without `now`, each call uses the current time to find due and expired jobs and to set leases and delays."""
    backend, past = case.backend, datetime.now(UTC) - 2 * _HOUR
    ids = [answer.record.id for answer in backend.insert([NewRecord(kind="k") for _ in range(3)], now=past)]
    expired, held, retried = backend.claim(["default"], limit=3, worker="w", lease=LEASE, now=past + LEASE)
    backend.insert([NewRecord(kind="due"), NewRecord(kind="future", run_at=_HOUR)])
    backend.wait(["default"], timeout=timedelta(seconds=5))  # a rounded-up run_at may be a moment in the future
    case.equal(1, backend.stats().by_queue["default"].due)
    backend.extend([held.claim], lease=_HOUR)
    backend.settle([Retry(retried.claim, _HOUR, Failure("E", "m"))])
    case.equal([expired.id], [record.id for record in backend.rescue(limit=3)])
    stored = backend.get(ids)
    _require_about(case, timedelta(0), stored[expired.id].run_at)
    _require_about(case, _HOUR, stored[held.id].lease_until)
    _require_about(case, _HOUR, stored[retried.id].run_at)
    backend.requeue(Filter(ids=[retried.id]), limit=1)
    _require_about(case, timedelta(0), case.stored(retried).run_at)


def _require_about(case: Case, delay: timedelta, moment: datetime | None) -> None:
    expected = datetime.now(UTC) + delay
    near = moment is not None and abs(moment - expected) < timedelta(minutes=10)
    case.that(near, f"about {expected.isoformat()}", moment)


@example("TIME-08")
def times_after_the_calendar_are_rejected(case: Case) -> None:
    """Each call that takes a delay or lease rejects one that would end after the year 9999."""
    record = case.running()
    backend, claim, ever = case.backend, record.claim, timedelta(days=366 * 9_000)
    failure = Failure("E", "m")
    calls: tuple[Callable[[], object], ...] = (
        lambda: backend.insert([NewRecord(kind="k"), NewRecord(kind="k", run_at=ever)], now=NOW),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=ever, now=NOW),
        lambda: backend.extend([claim], lease=ever, now=NOW),
        lambda: backend.settle([Retry(claim, ever, failure)], now=NOW),
        lambda: backend.settle([Release(Claim(claim.id, 1), ever)], now=NOW),
    )
    for call in calls:
        case.refuses(InvalidArgument, call)
