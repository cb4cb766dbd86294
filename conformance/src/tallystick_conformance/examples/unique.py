"""Unique keys during the whole life of a job: which job holds a key, and which changes free it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from tallystick import Cancel, Claim, Complete, Discard, Filter, NewRecord, Record, Release, Retry, State

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, MANY

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
        case.backend.settle([Retry(case.only(case.claim()).claim, LEASE, ERROR)], now=NOW)
    case.backend.cancel(Filter(ids=[record.id]), limit=1, now=NOW)
    return record


_End = Callable[[Case, Literal["finished", "purged"]], Record]

_ENDS: tuple[_End, ...] = (
    _settled(lambda record: Complete(record.claim)),
    _settled(lambda record: Discard(record.claim, ERROR)),
    _settled(lambda record: Cancel(record.claim)),
    _settled(lambda record: Retry(record.claim, NOW, ERROR), flagged=True),
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


@example("UNIQUE-02")
def one_batch_has_one_holder(case: Case) -> None:
    """If a batch repeats an id or a unique key, insert stores the first record and returns it for the others."""
    twice = NewRecord(kind="first")
    keyed = [NewRecord(kind=f"k{n}", unique_key="key") for n in range(3)]
    again = NewRecord(kind="second", id=twice.id)
    answers = case.backend.insert([twice, keyed[0], again, *keyed[1:]], now=NOW)
    case.equal([True, True, False, False, False], [answer.created for answer in answers])
    case.equal(["first", "k0", "first", "k0", "k0"], [answer.record.kind for answer in answers])
    case.equal(2, len(case.backend.list(Filter(), limit=100)))


@example("UNIQUE-02")
def the_ends_of_a_long_batch_meet(case: Case) -> None:
    """If the first and last records of a long batch share an id or a unique key, insert stores only the first."""
    size = min(MANY, case.capabilities.max_batch)
    first = NewRecord(kind="first", unique_key="key")
    again, rival = NewRecord(kind="again", id=first.id), NewRecord(kind="rival", unique_key="key")
    batch = [first, *(NewRecord(kind="k") for _ in range(size - 3)), again, rival]
    answers = case.raw.insert(batch, now=NOW)
    case.equal([True, False, False], [answers[n].created for n in (0, -2, -1)])
    case.equal(["first"] * 3, [answers[n].record.kind for n in (0, -2, -1)])
    case.equal(size - 2, case.raw.stats(now=NOW).total)


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
    case.backend.settle([Retry(record.claim, NOW, ERROR)], now=NOW)
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


@example("UNIQUE-05")
def jobs_without_a_key_are_never_duplicates(case: Case) -> None:
    """Any number of jobs without a unique key can be stored, in one batch and in several."""
    for _ in range(2):
        answers = case.backend.insert([NewRecord(kind="k") for _ in range(3)], now=NOW)
        case.equal([(True, None)] * 3, [(answer.created, answer.record.unique_key) for answer in answers])


def _free_at(case: Case, now: datetime, *, free: bool) -> None:
    answer = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=now)[0]
    case.equal(free, answer.created)
    if free:
        case.backend.delete(Filter(ids=[answer.record.id]), limit=1)


@example("UNIQUE-06")
def the_first_claim_frees_the_key(case: Case) -> None:
    """A key held until `started` is held before the first claim, and free from then on, also if the job waits again."""
    record = case.insert(NewRecord(kind="k", unique_key="key", unique_until="started"))[0]
    _is_free(case, False)
    claim = case.only(case.claim()).claim
    _is_free(case, True)
    for outcome in (Retry(claim, NOW, ERROR), Release(Claim(record.id, 2), NOW)):
        case.equal([True], list(case.backend.settle([outcome], now=NOW)))
        _is_free(case, True)
        case.only(case.claim())
    case.backend.rescue(limit=1, now=_LATER)
    _is_free(case, True)
    case.backend.requeue(Filter(ids=[record.id]), limit=1, now=_LATER)
    _is_free(case, True)


@example("UNIQUE-06")
def the_next_job_keeps_the_key(case: Case) -> None:
    """The key that a claim freed belongs to the next job. The end of the claimed job does not free it."""
    for outcome in (Complete, lambda claim: Retry(claim, NOW, ERROR)):
        first = case.running(unique_key="key", unique_until="started")
        case.equal(
            True, case.backend.insert([NewRecord(kind="k", unique_key="key", run_at=_LATER)], now=NOW)[0].created
        )
        case.backend.settle([outcome(first.claim)], now=NOW)
        _is_free(case, False)
        case.backend.delete(Filter(), limit=9)


@example("UNIQUE-06")
def a_job_that_never_started_holds_its_key_to_its_end(case: Case) -> None:
    """A job that is cancelled before its first claim frees a key held until `started`, and a requeue takes it again."""
    record = case.insert(NewRecord(kind="k", unique_key="key", unique_until="started"))[0]
    case.backend.cancel(Filter(), limit=1, now=NOW)
    _is_free(case, True)
    case.equal([record.id], list(case.backend.requeue(Filter(), limit=1, now=NOW)))
    _is_free(case, False)


@example("UNIQUE-07")
def a_time_holds_in_every_state(case: Case) -> None:
    """A key held for a time is held while the job waits, runs and has finished, and free at the end of the time."""
    tick = case.capabilities.time_precision
    record = case.insert(NewRecord(kind="k", unique_key="key", unique_until=LEASE))[0]
    case.equal(LEASE, case.stored(record).unique_until)
    for change in (
        case.claim,
        lambda: case.backend.settle([Retry(Claim(record.id, 1), NOW, ERROR)], now=NOW),
        case.claim,
        lambda: case.backend.settle([Complete(Claim(record.id, 2))], now=NOW),
    ):
        change()
        _free_at(case, NOW, free=False)
        _free_at(case, NOW + LEASE - tick, free=False)
    case.equal(LEASE, case.stored(record).unique_until)
    _free_at(case, NOW + LEASE, free=True)


@example("UNIQUE-07")
def a_time_ends_while_the_job_waits(case: Case) -> None:
    """A time can end while its job waits or runs. The job then goes on without the key."""
    day, most = timedelta(days=1), timedelta(days=3_650)
    for n, until in enumerate((timedelta(seconds=1), day, most)):
        record = case.insert(NewRecord(kind="k", queue=f"q{n}", unique_key="key", unique_until=until))[0]
        _free_at(case, NOW + until - case.capabilities.time_precision, free=False)
        _free_at(case, NOW + until, free=True)
        case.equal(record, case.stored(record))
        case.equal([record.id], [r.id for r in case.claim(queues=[f"q{n}"])])
        case.backend.insert([NewRecord(kind="k", queue=f"p{n}", unique_key="key")], now=NOW + until)
        case.equal([True], list(case.backend.settle([Complete(Claim(record.id, 1))], now=NOW)))
        _free_at(case, NOW + until, free=False)
        case.backend.delete(Filter(), limit=9)


@example("UNIQUE-07")
def a_deleted_job_ends_its_time(case: Case) -> None:
    """Deleting or purging a job with a key for a time frees the key at once."""
    for purge in (False, True):
        record = case.running(unique_key="key", unique_until=LEASE)
        case.backend.settle([Complete(record.claim)], now=NOW)
        _free_at(case, NOW, free=False)
        if purge:
            case.backend.purge([State.COMPLETED], before=_LATER, limit=9)
        else:
            case.backend.delete(Filter(), limit=9)
        _free_at(case, NOW, free=True)


@example("UNIQUE-08")
def a_time_that_has_passed_is_over(case: Case) -> None:
    """After another job took the key at the end of a time, a call with an earlier now does not find the first job."""
    first = case.insert(NewRecord(kind="first", unique_key="key", unique_until=LEASE))[0]
    second = case.backend.insert([NewRecord(kind="second", unique_key="key")], now=NOW + LEASE)[0]
    case.equal(True, second.created)
    third = case.backend.insert([NewRecord(kind="third", unique_key="key")], now=NOW)[0]
    case.equal((False, second.record.id), (third.created, third.record.id))
    case.equal([first.id], [record.id for record in case.claim(1)])
    case.backend.delete(Filter(ids=[second.record.id]), limit=1)
    _free_at(case, NOW, free=True)
