"""Requeuing jobs whose unique key another job holds, and many jobs at once."""

from tallystick import Complete, Filter

from ..harness.case import LEASE, NOW, Case, example
from .common import LARGEST_LIMIT, insert_many


@example("REQUEUE-04")
def a_finished_job_with_its_key_prevents_a_requeue(case: Case) -> None:
    """A finished job that holds its key until `purged` prevents the requeue of an earlier job with that key."""
    past = case.running(unique_key="key")
    case.backend.settle([Complete(past.claim)], now=NOW)
    holder = case.running(unique_key="key", unique_until="purged")
    case.backend.settle([Complete(holder.claim)], now=NOW)
    before = case.contents()
    case.equal([], list(case.backend.requeue(Filter(ids=[past.id]), limit=9, now=NOW)))
    case.equal(before, case.contents())
    case.equal([holder.id], list(case.backend.requeue(Filter(), limit=9, now=NOW)))
    case.equal([holder.id], [record.id for record in case.claim()])


@example("REQUEUE-04")
def one_of_several_with_one_key_is_requeued(case: Case) -> None:
    """A requeue of three finished jobs with one key changes one of them. Another requeue then changes nothing."""
    for _ in range(3):
        case.backend.settle([Complete(case.running(unique_key="key").claim)], now=NOW)
    one = case.backend.requeue(Filter(), limit=9, now=NOW)
    case.equal(1, len(one))
    before = case.contents()
    case.equal([], list(case.backend.requeue(Filter(), limit=9, now=NOW + 2 * LEASE)))
    case.equal(before, case.contents())


@example("REQUEUE-05")
def many_are_requeued_at_once(case: Case) -> None:
    """A requeue with a large limit requeues every job that fits."""
    size = insert_many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, len(set(case.backend.requeue(Filter(kinds=["k"]), limit=LARGEST_LIMIT, now=NOW))))
