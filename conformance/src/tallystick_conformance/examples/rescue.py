"""Rescuing jobs that failed before, and many jobs at once."""

from tallystick import LEASE_EXPIRED, Filter, Retry

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LARGEST_LIMIT, insert_many


@example("RESCUE-02")
def a_rescue_replaces_the_last_error(case: Case) -> None:
    """After a rescue, last_error is LEASE_EXPIRED, even if the job failed before or the rescue discards it."""
    for most in (9, 2):
        record = case.running(max_attempts=most)
        case.backend.settle([Retry(record.claim, NOW, ERROR)], now=NOW)
        case.claim()
        case.only(case.backend.rescue(limit=1, now=NOW + LEASE))
        case.equal(LEASE_EXPIRED, case.stored(record).last_error)
        case.backend.delete(Filter(), limit=1)


@example("RESCUE-05")
def many_are_rescued_at_once(case: Case) -> None:
    """A rescue with a large limit rescues every expired job."""
    size = insert_many(case)
    case.claim(size)
    case.equal(size, len(case.backend.rescue(limit=LARGEST_LIMIT, now=NOW + LEASE)))
