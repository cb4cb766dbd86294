"""Transactions that commit: jobs that are inserted and attempts that are settled in them."""

from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial

from tallystick import (
    Cancel,
    Claim,
    Complete,
    Discard,
    Filter,
    NewRecord,
    Outcome,
    PayloadTooLarge,
    Release,
    Retry,
    State,
    Unavailable,
)

from ..harness.case import LEASE, NOW, Case, example
from ..harness.threads import Beside
from .common import ERROR

_A_WHILE = timedelta(milliseconds=200)
_ENDS = (
    partial(Complete, result=b"result"),
    partial(Retry, run_at=LEASE, error=ERROR),
    partial(Discard, error=ERROR),
    partial(Release, run_at=LEASE),
    Cancel,
)


@example("CAP-02")
def jobs_come_with_the_commit(case: Case) -> None:
    """Jobs inserted in a transaction are invisible to other clients until it commits."""
    new = NewRecord(kind="k", unique_key="key")
    other = case.client()
    with case.backend.transaction() as transaction:
        answer = case.backend.insert([new], transaction=transaction, now=NOW)[0]
        case.equal((new.id, True), (answer.record.id, answer.created))
        case.equal({}, other.get([new.id]))
    case.equal([new.id], [record.id for record in case.claim()])


@example("CAP-02")
def a_rejected_insert_leaves_the_transaction_usable(case: Case) -> None:
    """A rejected batch stores nothing. The inserts before and after it in the same transaction are stored."""
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    first, second = NewRecord(kind="first"), NewRecord(kind="second", unique_key="key")
    bad = [NewRecord(kind="bad", queue="bad", unique_key="key"), NewRecord(kind="worse", payload=too_large)]
    with case.backend.transaction() as transaction:
        case.backend.insert([first], transaction=transaction, now=NOW)
        with suppress(PayloadTooLarge):
            case.backend.insert(bad, transaction=transaction, now=NOW)
            case.that(False, "PayloadTooLarge", "a result")
        answer = case.backend.insert([second], transaction=transaction, now=NOW)[0]
        case.equal((second.id, True), (answer.record.id, answer.created))
    case.equal({first.id, second.id}, {record.id for record in case.backend.list(Filter(), limit=9)})
    case.equal(["default"], [queue.name for queue in case.backend.queues()])


@example("CAP-02")
def uncommitted_jobs_are_invisible(case: Case) -> None:
    """No client lists or counts the jobs, queues and unique keys of a transaction until it commits."""
    other, new = case.client(), NewRecord(kind="k", queue="new", unique_key="key")
    before = case.contents()
    with case.backend.transaction() as transaction:
        again = case.backend.insert([new, new], transaction=transaction, now=NOW)
        case.equal([(new.id, True), (new.id, False)], [(answer.record.id, answer.created) for answer in again])
        case.equal(before, case.contents())
        case.equal(([], 0), (list(other.queues()), other.stats(now=NOW).total))
    case.equal([("new", False)], [tuple(queue) for queue in other.queues()])
    case.equal(1, other.stats(now=NOW).by_queue["new"].due)
    case.equal(False, other.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].created)
    case.equal([new.id], [record.id for record in case.claim(queues=["new"])])


@example("CAP-02")
def a_job_is_stored_alike_in_a_transaction(case: Case) -> None:
    """A job with every field set is stored in a transaction as without one, and its duplicate is returned."""
    new = NewRecord(kind="k", payload=b"p", queue="q", priority=-7, max_attempts=3, run_at=LEASE, unique_key="key",
                    unique_until="purged", tags=("z", "a"))  # fmt: skip
    with case.backend.transaction() as transaction:
        case.backend.insert([new], transaction=transaction, now=NOW)
        [again] = case.backend.insert([new], transaction=transaction, now=NOW + LEASE)
    expected = new.stored(NOW)
    case.equal((expected, False), (again.record, again.created))
    case.equal(expected, case.stored(expected))


@example("CAP-08")
def attempts_end_with_the_commit(case: Case) -> None:
    """Other clients see attempts as running until their settle commits, and then as ended."""
    first, second = case.running(unique_key="key"), case.running()
    other = case.client()
    with case.backend.transaction() as transaction:
        outcomes: list[Outcome] = [Complete(first.claim, b"done"), Release(second.claim, NOW)]
        case.equal([True, True], list(case.backend.settle(outcomes, transaction=transaction, now=NOW)))
        case.equal({first.id: first, second.id: second}, other.get([first.id, second.id]))
    ended = case.stored(first)
    case.equal((State.COMPLETED, b"done", NOW), (ended.state, ended.result, ended.finished_at))
    case.equal(State.PENDING, case.stored(second).state)
    case.equal([False], list(case.backend.settle([Cancel(first.claim)], now=NOW)))
    case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].created)


@example("CAP-08")
def an_attempt_ends_alike_in_a_transaction(case: Case) -> None:
    """Each outcome changes a job in a transaction as without one, also after a request to cancel the job."""
    for flagged in (False, True):
        for end in _ENDS:
            record, twin = case.running(), case.running()
            if flagged:
                case.backend.cancel(Filter(ids=[record.id, twin.id]), limit=2, now=NOW)
            with case.backend.transaction() as transaction:
                case.backend.settle([end(record.claim)], transaction=transaction, now=NOW + LEASE)
            case.backend.settle([end(twin.claim)], now=NOW + LEASE)
            case.equal(case.stored(twin)._replace(id=record.id), case.stored(record))
            case.backend.delete(Filter(), limit=2)


@example("CAP-08")
def cancel_meets_an_uncommitted_settle(case: Case) -> None:
    """A cancel before the commit of a settle does not change the job after that commit.

    The backend may instead roll the transaction back. The attempt then still runs and is flagged.
    """
    record, other = case.running(), case.client()
    with ExitStack() as opened:
        transaction = opened.enter_context(case.backend.transaction())
        case.backend.settle([Complete(record.claim)], transaction=transaction, now=NOW)
        cancel = Beside(lambda: other.cancel(Filter(), limit=1, now=NOW))
        with suppress(TimeoutError):
            cancel.answer(_A_WHILE.total_seconds())
        to_commit = opened.pop_all()
    try:
        to_commit.close()
    except Unavailable:
        expected = (State.RUNNING, True)
    else:
        expected = (State.COMPLETED, False)
    changed, found = list(cancel.answer()), case.stored(record)
    case.equal(expected, (found.state, found.cancel_requested))
    case.that(changed in ([], [record.id]), "no other job changed", changed)


@example("CAP-10")
def stale_claims_are_rejected_in_a_transaction(case: Case) -> None:
    """In a transaction, settle rejects a rescued attempt, an already settled one and an unknown one."""
    old = case.running()
    case.backend.rescue(limit=9, now=NOW + LEASE)
    record = case.only(case.claim(1, now=NOW + LEASE))
    with case.backend.transaction() as transaction:
        answers = case.backend.settle(
            [Complete(old.claim), Complete(record.claim), Cancel(record.claim)], transaction=transaction, now=NOW
        )
        case.equal([False, True, False], list(answers))
        again = [Complete(record.claim), Complete(Claim(record.id, record.attempt + 1))]
        case.equal([False, False], list(case.backend.settle(again, transaction=transaction, now=NOW)))
    case.equal((State.COMPLETED, record.attempt), (case.stored(record).state, case.stored(record).attempt))
