"""The backend's own clock, and clients whose clocks differ."""

from datetime import UTC, datetime, timedelta

from tallystick import Complete, Filter, Hold, NewRecord, ProgressReport, Retry, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR

_HOUR = timedelta(hours=1)
_A_WHILE = timedelta(milliseconds=200)


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
    backend.report_progress([ProgressReport(record.claim, 0.5)])
    backend.settle([Retry(record.claim, timedelta(0), ERROR)])
    backend.cancel(Filter(kinds=["k"]), limit=1)
    now = datetime.now(UTC)
    stored = case.stored(record)
    moments = (
        stored.created_at,
        stored.attempted_at,
        stored.run_at,
        stored.finished_at,
        stored.updated_at,
        stored.progress and stored.progress.at,
    )
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
    backend.settle([Retry(retried.claim, _HOUR, ERROR)])
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


@example("TIME-07")
def time_goes_on_in_a_transaction(case: Case) -> None:
    """Without `now`, a call in a transaction uses the time of the call, not the start of the transaction."""
    if not case.capabilities.transactions:
        return
    record = case.running()
    with case.backend.transaction() as transaction:
        [first] = case.backend.insert([NewRecord(kind="first", run_at=LEASE)], transaction=transaction)
        case.raw.wait(["none"], timeout=_A_WHILE)
        [late] = case.backend.insert([NewRecord(kind="late")], transaction=transaction)
        case.backend.settle([Complete(record.claim)], transaction=transaction)
    since = first.record.created_at + _A_WHILE / 2
    for moment in (late.record.created_at, late.record.run_at, case.stored(record).finished_at):
        case.that(moment is not None and moment > since, f"later than {since}", moment)


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
    backend.settle([Retry(record.claim, timedelta(0), ERROR)], now=earlier)
    retrying = case.stored(record)
    case.equal((State.RETRYING, earlier, earlier), (retrying.state, retrying.run_at, retrying.updated_at))
    again = case.only(case.claim(now=earlier))
    case.equal((earlier, earlier + LEASE, NOW), (again.attempted_at, again.lease_until, again.created_at))
    backend.settle([Complete(again.claim)], now=earlier - _HOUR)
    case.equal(earlier - _HOUR, case.stored(record).finished_at)
    case.equal(1, backend.purge([State.COMPLETED], before=earlier, limit=1))
