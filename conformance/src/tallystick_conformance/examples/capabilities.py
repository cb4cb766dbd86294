"""The capabilities that a backend declares, above all transactions."""

from contextlib import suppress
from datetime import timedelta

from tallystick import (
    Cancel,
    Claim,
    Complete,
    Filter,
    Hold,
    NewRecord,
    Outcome,
    PayloadTooLarge,
    Release,
    State,
    Unsupported,
)

from ..harness.case import LEASE, NOW, Case, example


@example("CAP-01")
def undeclared_transactions_are_rejected(case: Case) -> None:
    """If `transactions` is not declared, insert and settle with a transaction raise Unsupported and do nothing."""
    if case.capabilities.transactions:
        return
    new = [NewRecord(kind="k", queue="new")]
    case.refuses(Unsupported, lambda: case.backend.insert(new, transaction=object(), now=NOW))
    case.refuses(Unsupported, lambda: case.backend.insert([], transaction=object(), now=NOW))
    case.refuses(Unsupported, case.backend.transaction)
    ended = [Complete(case.running().claim)]
    case.refuses(Unsupported, lambda: case.backend.settle(ended, transaction=object(), now=NOW))
    case.refuses(Unsupported, lambda: case.backend.settle([], transaction=object(), now=NOW))


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


@example("CAP-03")
def jobs_go_with_the_rollback(case: Case) -> None:
    """A rollback removes the jobs inserted in the transaction and frees their unique keys."""
    new = NewRecord(kind="k", unique_key="key")
    with suppress(_RollBack), case.backend.transaction() as transaction:
        case.backend.insert([new], transaction=transaction, now=NOW)
        raise _RollBack
    case.equal((0, []), (len(case.backend.list(Filter(), limit=9)), list(case.backend.queues())))
    case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].created)


@example("CAP-03")
def several_inserts_of_one_transaction_go_together(case: Case) -> None:
    """The second insert of a transaction sees the first. A rollback removes both and keeps older jobs."""
    stays = case.insert(NewRecord(kind="stays", unique_key="taken"))[0]
    first, second = NewRecord(kind="k", unique_key="key"), NewRecord(kind="k", unique_key="key")
    with suppress(_RollBack), case.backend.transaction() as transaction:
        case.backend.insert([first], transaction=transaction, now=NOW)
        taken = NewRecord(kind="k", unique_key="taken")
        answers = case.backend.insert([second, taken], transaction=transaction, now=NOW)
        case.equal([first.id, stays.id], [answer.record.id for answer in answers])
        raise _RollBack
    case.equal([stays], list(case.backend.list(Filter(), limit=9)))


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


@example("CAP-03")
def a_queue_goes_with_the_rollback(case: Case) -> None:
    """A rollback removes a queue that the transaction added, keeps a queue that was known, and frees the job's id."""
    case.insert(NewRecord(kind="k", queue="known"))
    case.backend.pause("known")
    before, new = case.contents(), NewRecord(kind="k", queue="new")
    for _ in range(2):
        with suppress(_RollBack), case.backend.transaction() as transaction:
            rest = [NewRecord(kind="k", queue="known"), NewRecord(kind="k", queue="other")]
            case.backend.insert([new, *rest], transaction=transaction, now=NOW)
            raise _RollBack
        case.equal(before, case.contents())
    case.equal(True, case.backend.insert([new], now=NOW)[0].created)


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
    case.equal([True], [answer.created for answer in case.backend.insert([_holding("key")], now=NOW)])


@example("CAP-09")
def attempts_go_on_after_the_rollback(case: Case) -> None:
    """After a rollback of its settle, an attempt still runs.

    Its claim is current, and its unique key was never free.
    """
    record = case.running(unique_key="key")
    with suppress(_RollBack), case.backend.transaction() as transaction:
        case.backend.settle([Complete(record.claim, b"never")], transaction=transaction, now=NOW)
        raise _RollBack
    case.equal(record, case.stored(record))
    case.equal([record.id], [answer.record.id for answer in case.backend.insert([_holding("key")], now=NOW)])
    case.equal([Hold.HELD], list(case.backend.extend([record.claim], lease=LEASE, now=NOW)))
    case.equal([True], list(case.backend.settle([Complete(record.claim, b"then")], now=NOW)))
    case.equal(b"then", case.stored(record).result)


@example("CAP-09")
def a_settle_and_an_insert_of_one_transaction_go_together(case: Case) -> None:
    """A transaction that completes a job and inserts a successor with its key applies both changes or neither."""
    record = case.running(unique_key="key")
    for fails in (True, False):
        with suppress(_RollBack), case.backend.transaction() as transaction:
            case.backend.settle([Complete(record.claim)], transaction=transaction, now=NOW)
            [follow_up] = case.backend.insert([_holding("key")], transaction=transaction, now=NOW)
            case.equal(True, follow_up.created)
            if fails:
                raise _RollBack
        case.equal(1 if fails else 2, len(case.backend.list(Filter(), limit=9)))


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


@example("CAP-04")
def capabilities_make_sense(case: Case) -> None:
    """Every client declares the same capabilities, even before its first use, with limits of at least one."""
    declared = case.capabilities
    case.equal(declared, case.client().capabilities)
    case.that(timedelta(0) < declared.time_precision <= timedelta(seconds=1), "a precision up to 1 s", declared)
    case.that(
        declared.max_payload_bytes >= 1 and declared.max_batch >= 1,
        "max_payload_bytes and max_batch of at least 1",
        declared,
    )


def _holding(key: str) -> NewRecord:
    return NewRecord(kind="k", unique_key=key)


class _RollBack(Exception):
    pass
