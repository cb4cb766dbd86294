"""What a backend declares: each yes is tested, each no is probed."""

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

from ..case import LEASE, NOW, Case, example


@example("CAP-01")
def undeclared_transactions_are_refused(case: Case) -> None:
    """Where transactions are not declared, an insert or a settle with one does nothing."""
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
    """Jobs inserted in a transaction are not seen by others before it commits, and are there after."""
    new = NewRecord(kind="k", unique_key="key")
    other = case.client()
    with case.backend.transaction() as transaction:
        answer = case.backend.insert([new], transaction=transaction, now=NOW)[0]
        case.equal((new.id, True), (answer.record.id, answer.created))
        case.equal({}, other.get([new.id]))
    case.equal([new.id], [record.id for record in case.claim()])


@example("CAP-03")
def jobs_go_with_the_rollback(case: Case) -> None:
    """Jobs inserted in a transaction that rolls back leave no record, and no key held."""
    new = NewRecord(kind="k", unique_key="key")
    with suppress(_RollBack), case.backend.transaction() as transaction:
        case.backend.insert([new], transaction=transaction, now=NOW)
        raise _RollBack
    case.equal((0, []), (len(case.backend.list(Filter(), limit=9)), list(case.backend.queues())))
    case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].created)


@example("CAP-03")
def several_inserts_of_one_transaction_go_together(case: Case) -> None:
    """Of two inserts in one transaction, the second sees the first, neither outlives the rollback, and others stay."""
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
def a_refusal_leaves_the_transaction_as_it_was(case: Case) -> None:
    """Of a batch that is refused within a transaction nothing is stored; what was inserted before and after it is."""
    too_large = b"x" * (case.capabilities.max_payload_bytes + 1)
    first, second = NewRecord(kind="first"), NewRecord(kind="second", unique_key="key")
    bad = [NewRecord(kind="bad", queue="bad", unique_key="key"), NewRecord(kind="worse", payload=too_large)]
    with case.backend.transaction() as transaction:
        case.backend.insert([first], transaction=transaction, now=NOW)
        with suppress(PayloadTooLarge):
            case.backend.insert(bad, transaction=transaction, now=NOW)
            case.that(False, "PayloadTooLarge", "an answer")
        answer = case.backend.insert([second], transaction=transaction, now=NOW)[0]
        case.equal((second.id, True), (answer.record.id, answer.created))
    case.equal({first.id, second.id}, {record.id for record in case.backend.list(Filter(), limit=9)})
    case.equal(["default"], [queue.name for queue in case.backend.queues()])


@example("CAP-02")
def nobody_sees_what_is_not_committed(case: Case) -> None:
    """Until a transaction commits, its jobs, queues and keys are not listed or counted by any client; then they are."""
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
    """A queue that was known stays, one that came with the transaction goes, and an id is free again."""
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
    """Others see attempts run until their settle commits, and then ended, with result and freed key."""
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
    """After the rollback a claim is current as before: it is held, settled, and its key was never free."""
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
    """A follow-up job that takes over the key of the one that ends is there with its end, or neither is."""
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
def stale_claims_are_refused_in_a_transaction(case: Case) -> None:
    """An attempt that was rescued, one settled before in the same transaction, and a made-up one change nothing."""
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
    """Each client declares the same, before it has been used too; the limits leave room for work."""
    declared = case.capabilities
    case.equal(declared, case.client().capabilities)
    case.that(timedelta(0) < declared.time_precision <= timedelta(seconds=1), "a precision up to 1 s", declared)
    case.that(declared.max_payload_bytes >= 1 and declared.max_batch >= 1, "room for one byte and one item", declared)


def _holding(key: str) -> NewRecord:
    return NewRecord(kind="k", unique_key=key)


class _RollBack(Exception):
    pass
