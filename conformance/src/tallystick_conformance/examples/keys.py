"""Unique keys during the whole life of a job: which job holds a key, and which changes free it."""

from collections.abc import Callable
from typing import Literal

from tallystick import Cancel, Complete, Discard, Failure, Filter, NewRecord, Record, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example

_ERROR = Failure("E", "m")
_LATER = NOW + 2 * LEASE


def _settled(
    outcome: Callable[[Record], Complete | Discard | Cancel | Retry | Release], flagged: bool = False
) -> "_End":
    def end(case: Case, until: Literal["finished", "purged"]) -> Record:
        record = case.running(unique_key="key", unique_until=until, max_attempts=1)
        if flagged:
            case.backend.cancel(Filter(ids=[record.id]), limit=1, now=NOW)
        case.equal([True], list(case.backend.settle([outcome(record)], now=NOW)))
        return record

    return end


def _rescued(case: Case, until: Literal["finished", "purged"], flagged: bool = False) -> Record:
    record = case.running(unique_key="key", unique_until=until, max_attempts=2 if flagged else 1)
    if flagged:
        case.backend.cancel(Filter(ids=[record.id]), limit=1, now=NOW)
    case.only(case.backend.rescue(limit=9, now=_LATER))
    return record


def _cancelled(case: Case, until: Literal["finished", "purged"], retrying: bool = False) -> Record:
    record = case.insert(NewRecord(kind="k", unique_key="key", unique_until=until))[0]
    if retrying:
        case.backend.settle([Retry(case.only(case.claim()).claim, LEASE, _ERROR)], now=NOW)
    case.backend.cancel(Filter(ids=[record.id]), limit=1, now=NOW)
    return record


_End = Callable[[Case, Literal["finished", "purged"]], Record]

_ENDS: tuple[_End, ...] = (
    _settled(lambda record: Complete(record.claim)),
    _settled(lambda record: Discard(record.claim, _ERROR)),
    _settled(lambda record: Cancel(record.claim)),
    _settled(lambda record: Retry(record.claim, NOW, _ERROR), flagged=True),
    _settled(lambda record: Release(record.claim), flagged=True),
    _rescued,
    lambda case, until: _rescued(case, until, flagged=True),
    _cancelled,
    lambda case, until: _cancelled(case, until, retrying=True),
)
"""Every way to end a job."""


def _is_free(case: Case, free: bool) -> None:
    answer = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=_LATER)[0]
    case.equal(free, answer.created)
    if free:
        case.equal([answer.record.id], list(case.backend.delete(Filter(ids=[answer.record.id]), limit=1)))


@example("UNIQUE-03")
def every_end_frees_the_key(case: Case) -> None:
    """Every way to end a job frees a key that is held until `finished`. A requeue takes the key again."""
    for end in _ENDS:
        ended = end(case, "finished")
        _is_free(case, True)
        case.equal([ended.id], list(case.backend.requeue(Filter(ids=[ended.id]), limit=1, now=NOW)))
        _is_free(case, False)
        case.backend.cancel(Filter(), limit=9, now=NOW)
        _is_free(case, True)
        case.backend.delete(Filter(), limit=9)


@example("UNIQUE-03")
def an_unfinished_job_holds_its_key(case: Case) -> None:
    """A job holds its key while it is pending, running, flagged for cancellation, retrying, released or rescued."""
    record = case.insert(NewRecord(kind="k", unique_key="key", run_at=NOW))[0]
    _is_free(case, False)
    record = case.only(case.claim())
    _is_free(case, False)
    case.backend.settle([Retry(record.claim, NOW, _ERROR)], now=NOW)
    _is_free(case, False)
    record = case.only(case.claim())
    case.backend.settle([Release(record.claim)], now=NOW)
    _is_free(case, False)
    case.claim()
    case.backend.rescue(limit=1, now=_LATER)
    _is_free(case, False)
    case.only(case.claim(now=_LATER))
    case.backend.cancel(Filter(), limit=1, now=_LATER)
    _is_free(case, False)


@example("UNIQUE-04")
def a_kept_record_holds_its_key(case: Case) -> None:
    """A finished job with a key until `purged` holds that key until its record is deleted or purged."""
    for n, end in enumerate(_ENDS):
        ended = end(case, "purged")
        _is_free(case, False)
        if n % 2:
            case.equal([ended.id], list(case.backend.delete(Filter(ids=[ended.id]), limit=1)))
        else:
            case.equal(1, case.backend.purge([case.stored(ended).state], before=_LATER + LEASE, limit=1))
        _is_free(case, True)


@example("UNIQUE-04")
def a_deleted_job_frees_its_key(case: Case) -> None:
    """Deleting a pending job frees its key, whether the key is held until `finished` or until `purged`."""
    for until in ("finished", "purged"):
        pending = case.insert(NewRecord(kind="k", unique_key="key", unique_until=until))[0]
        _is_free(case, False)
        case.backend.delete(Filter(ids=[pending.id]), limit=1)
        _is_free(case, True)


@example("INSERT-04")
def the_id_is_checked_first(case: Case) -> None:
    """A record with the id of one job and the key of another is a duplicate of the job with its id.

    Neither job changes.
    """
    first, second = case.insert(NewRecord(kind="a"), NewRecord(kind="b", unique_key="key", priority=7))
    again = NewRecord(kind="c", id=first.id, unique_key="key", payload=b"other", queue="other")
    answer = case.backend.insert([again], now=_LATER)[0]
    case.equal((first, False), (answer.record, answer.created))
    case.equal([second, first], sorted(case.backend.list(Filter(), limit=9), key=lambda record: -record.priority))


@example("REQUEUE-04")
def one_of_several_with_one_key_is_requeued(case: Case) -> None:
    """A requeue of three finished jobs with one key changes one of them. Another requeue then changes nothing."""
    for _ in range(3):
        case.backend.settle([Complete(case.running(unique_key="key").claim)], now=NOW)
    one = case.backend.requeue(Filter(), limit=9, now=NOW)
    case.equal(1, len(one))
    before = case.contents()
    case.equal([], list(case.backend.requeue(Filter(), limit=9, now=_LATER)))
    case.equal(before, case.contents())


@example("QUEUE-01")
def duplicates_make_no_queue_known(case: Case) -> None:
    """A queue stays unknown if only a duplicate, a claim or a filter names it."""
    first = case.insert(NewRecord(kind="k", queue="known", unique_key="key"))[0]
    case.insert(NewRecord(kind="k", queue="by id", id=first.id), NewRecord(kind="k", queue="by key", unique_key="key"))
    case.claim(queues=["by claim"])
    case.backend.list(Filter(queues=["by filter"]), limit=1)
    case.equal(["known"], [queue.name for queue in case.backend.queues()])
    case.equal(["known"], list(case.backend.stats(now=NOW).by_queue))


@example("QUEUE-01")
def a_known_queue_stays_known(case: Case) -> None:
    """A queue stays known, and paused, after its last record is purged."""
    for state, outcome in ((State.COMPLETED, Complete), (State.CANCELLED, Cancel)):
        case.backend.settle([outcome(case.running().claim)], now=NOW)
        case.backend.pause("default")
        case.equal(1, case.backend.purge([state], before=_LATER, limit=9))
        case.equal([("default", True)], [tuple(queue) for queue in case.backend.queues()])
        case.backend.resume("default")
