"""What a backend declares: each yes is tested, each no is probed."""

from contextlib import suppress

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
    case.equal(0, len(case.backend.list(Filter(), limit=9)))
    case.equal(True, case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].created)


class _RollBack(Exception):
    pass
