"""Requeuing jobs whose unique key another job holds, and many jobs at once."""

from datetime import datetime

from tallystick import Complete, Filter, NewRecord, Record

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


@example("REQUEUE-06")
def a_job_that_started_needs_no_key(case: Case) -> None:
    """A finished job with a key until `started` is requeued without the key, although another job holds it."""
    past = case.running(unique_key="key", unique_until="started")
    case.backend.settle([Complete(past.claim)], now=NOW)
    _requeued_beside_the_holder(case, past, NOW)


@example("REQUEUE-06")
def a_job_whose_time_has_passed_needs_no_key(case: Case) -> None:
    """After the time of its key, a finished job is requeued without the key, even if another job holds it."""
    past = case.running(unique_key="key", unique_until=LEASE)
    case.backend.settle([Complete(past.claim)], now=NOW)
    _requeued_beside_the_holder(case, past, NOW + LEASE)


def _requeued_beside_the_holder(case: Case, past: Record, now: datetime) -> None:
    holder = case.backend.insert([NewRecord(kind="k", unique_key="key", run_at=2 * LEASE)], now=now)[0].record
    case.equal([past.id], list(case.backend.requeue(Filter(ids=[past.id]), limit=9, now=now)))
    answer = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=now)[0]
    case.equal((holder.id, False), (answer.record.id, answer.created))
    case.backend.delete(Filter(ids=[holder.id]), limit=1)
    answer = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=now)[0]
    case.equal(True, answer.created)
    case.equal([past.id, answer.record.id], [record.id for record in case.claim(now=now)])


@example("REQUEUE-04")
def a_requeue_takes_the_key_of_a_job_whose_time_has_passed(case: Case) -> None:
    """A holder whose time has passed does not prevent a requeue. The requeued job then holds the key."""
    past = case.running(unique_key="key")
    case.backend.settle([Complete(past.claim)], now=NOW)
    case.insert(NewRecord(kind="k", unique_key="key", unique_until=LEASE))
    case.equal([], list(case.backend.requeue(Filter(ids=[past.id]), limit=9, now=NOW)))
    case.equal([past.id], list(case.backend.requeue(Filter(ids=[past.id]), limit=9, now=NOW + LEASE)))
    for now in (NOW, NOW + LEASE):
        answer = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=now)[0]
        case.equal((past.id, False), (answer.record.id, answer.created))


@example("REQUEUE-05")
def many_are_requeued_at_once(case: Case) -> None:
    """A requeue with a large limit requeues every job that fits."""
    size = insert_many(case)
    case.backend.cancel(Filter(), limit=size, now=NOW)
    case.equal(size, len(set(case.backend.requeue(Filter(kinds=["k"]), limit=LARGEST_LIMIT, now=NOW))))
