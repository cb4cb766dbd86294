"""Changes of waiting jobs, and their effect on claims."""

from datetime import timedelta

from tallystick import Changes, Complete, Filter, NewRecord, Retry

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LARGEST_LIMIT, insert_many

_SECOND = timedelta(seconds=1)


@example("UPDATE-04")
def claims_follow_an_update(case: Case) -> None:
    """A job whose queue changes is claimed from its new queue only, and one whose run_at changes at its new time."""
    case.insert(
        NewRecord(kind="moved"), NewRecord(kind="delayed", run_at=NOW), NewRecord(kind="hastened", run_at=LEASE)
    )
    backend = case.backend
    backend.update(Filter(kinds=["moved"]), Changes(queue="new"), limit=9, now=NOW)
    backend.update(Filter(kinds=["delayed"]), Changes(run_at=NOW + _SECOND), limit=9, now=NOW)
    backend.update(Filter(kinds=["hastened"]), Changes(run_at=NOW), limit=9, now=NOW)
    case.equal(["hastened"], [record.kind for record in case.claim()])
    case.equal(["moved"], [record.kind for record in case.claim(queues=["new", "default"])])
    case.equal([], case.claim(now=NOW + _SECOND / 2, queues=["new", "default"]))
    case.equal(["delayed"], [record.kind for record in case.claim(now=NOW + _SECOND)])


@example("UPDATE-04")
def a_moved_job_may_return(case: Case) -> None:
    """A job that moves to another queue and back is claimed once, in its order."""
    case.insert(NewRecord(kind="k"), NewRecord(kind="first"))
    everything, first = Filter(), Filter(kinds=["first"])
    for queue in ("other", "default"):
        case.equal(2, len(case.backend.update(everything, Changes(queue=queue), limit=9, now=NOW)))
    case.backend.update(first, Changes(priority=9), limit=9, now=NOW)
    case.backend.update(first, Changes(priority=1), limit=9, now=NOW)
    case.equal(["first", "k"], [record.kind for record in case.claim(queues=["other", "default"])])
    case.equal(["default", "other"], [queue.name for queue in case.backend.queues()])


@example("UPDATE-04")
def a_retried_job_can_be_moved(case: Case) -> None:
    """A retrying job in a paused queue can be moved to another queue, from which it is claimed."""
    record = case.running(unique_key="key")
    case.backend.settle([Retry(record.claim, NOW, ERROR)], now=NOW)
    case.backend.pause("default")
    case.equal([record.id], list(case.backend.update(Filter(), Changes(queue="open"), limit=1, now=NOW)))
    again = case.only(case.claim(queues=["open", "default"]))
    case.equal((record.id, 2, "key"), (again.id, again.attempt, again.unique_key))
    case.equal([True], list(case.backend.settle([Complete(again.claim)], now=NOW)))


@example("UPDATE-03")
def many_are_updated_at_once(case: Case) -> None:
    """An update with a large limit changes every waiting job, and a repeated one changes none."""
    size = insert_many(case)
    case.equal(size, len(case.backend.update(Filter(), Changes(priority=1), limit=LARGEST_LIMIT, now=NOW)))
    case.equal([], list(case.backend.update(Filter(), Changes(priority=1), limit=LARGEST_LIMIT, now=NOW)))
