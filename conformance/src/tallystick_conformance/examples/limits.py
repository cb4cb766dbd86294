"""Fields at their limits: a job with an extreme value does not affect the other jobs of its batch."""

from datetime import UTC, datetime
from typing import Any

from tallystick import Complete, Failure, Filter, Hold, InvalidArgument, NewRecord, Release, Retry, State
from tallystick.records import MAX_ATTEMPTS, PRIORITIES
from tallystick.validation import NAME_LENGTH

from ..harness.case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")
_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
_LONGEST = "\N{SNOWMAN}" * NAME_LENGTH

_LIMITS: tuple[dict[str, Any], ...] = (
    {"max_attempts": MAX_ATTEMPTS[0]},
    {"max_attempts": MAX_ATTEMPTS[1]},
    {"priority": PRIORITIES[0]},
    {"priority": PRIORITIES[1]},
    {"unique_key": _LONGEST, "unique_until": "purged"},
    {"tags": tuple(_LONGEST[n:] for n in range(100))},
    {"kind": _LONGEST},
)


@example("CALL-01")
def limits_harm_no_neighbour(case: Case) -> None:
    """Jobs with fields at their limits, in a batch with others, are claimed, extended, settled and requeued."""
    new = [NewRecord(**{"kind": "k", **fields}) for fields in _LIMITS]
    case.insert(*(record for pair in zip(new, (NewRecord(kind="k") for _ in new), strict=True) for record in pair))
    count = 2 * len(new)
    for end in (Release, lambda claim: Retry(claim, NOW, _ERROR), Complete):
        claimed = case.claim(count)
        case.equal(count, len(claimed))
        claims = [record.claim for record in claimed]
        case.equal([Hold.HELD] * count, list(case.backend.extend(claims, lease=LEASE, now=NOW)))
        case.equal([True] * count, list(case.backend.settle([end(claim) for claim in claims], now=NOW)))
    case.equal(count, len(case.backend.requeue(Filter(), limit=count, now=NOW)))
    case.equal(count, len(case.claim(count)))
    case.equal(count, len(case.backend.rescue(limit=count, now=NOW + LEASE)))
    case.equal(count, len(case.backend.list(Filter(), limit=count + 1)))


@example("SETTLE-04")
def a_release_raises_the_largest_max_attempts(case: Case) -> None:
    """Each release raises max_attempts by one, even beyond the largest value that an insert accepts."""
    for n in range(1, 4):
        claim = case.running(max_attempts=MAX_ATTEMPTS[1]).claim if n == 1 else case.only(case.claim()).claim
        case.equal([True], list(case.backend.settle([Release(claim)], now=NOW)))
        case.equal(MAX_ATTEMPTS[1] + n, case.backend.get([claim.id])[claim.id].max_attempts)


@example("CLAIM-09")
def leases_may_end_in_the_last_year(case: Case) -> None:
    """Claim and extend store a lease until the last day of the year 9999 exactly, or reject it."""
    case.insert(NewRecord(kind="k"))
    try:
        record = case.only(case.backend.claim(["default"], limit=1, worker="w", lease=_LAST_DAY - NOW, now=NOW))
    except InvalidArgument:
        return
    case.equal(_LAST_DAY, record.lease_until)
    case.backend.extend([record.claim], lease=_LAST_DAY - NOW - LEASE, now=NOW + LEASE)
    case.equal(_LAST_DAY, case.stored(record).lease_until)
    case.equal([], list(case.backend.rescue(limit=1, now=_LAST_DAY - LEASE)))
    case.equal([State.RETRYING], [rescued.state for rescued in case.backend.rescue(limit=1, now=_LAST_DAY)])
