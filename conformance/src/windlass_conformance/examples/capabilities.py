"""What a backend declares: each yes is tested, each no is probed."""

from contextlib import suppress
from datetime import timedelta

from windlass import Filter, NewRecord, Unsupported

from ..case import NOW, Case, example


@example("CAP-01")
def undeclared_transactions_are_refused(case: Case) -> None:
    """Where transactional_insert is not declared, an insert with a transaction stores nothing."""
    if case.capabilities.transactional_insert:
        return
    new = [NewRecord(kind="k", queue="new")]
    case.refuses(Unsupported, lambda: case.backend.insert(new, transaction=object(), now=NOW))
    case.refuses(Unsupported, lambda: case.backend.insert([], transaction=object(), now=NOW))
    case.refuses(Unsupported, case.backend.transaction)


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


@example("CAP-04")
def capabilities_make_sense(case: Case) -> None:
    """Each client declares the same, before it has been used too; the limits leave room for work."""
    declared = case.capabilities
    case.equal(declared, case.client().capabilities)
    case.that(timedelta(0) < declared.time_precision <= timedelta(seconds=1), "a precision up to 1 s", declared)
    case.that(declared.max_payload_bytes >= 1 and declared.max_batch >= 1, "room for one byte and one item", declared)


class _RollBack(Exception):
    pass
