"""A caller's transaction that takes its time: what is now in it, and what others may be told meanwhile."""

from contextlib import suppress
from datetime import timedelta

from windlass import Complete, Filter, NewRecord, State

from ..case import LEASE, NOW, Case, example
from ..threads import Beside

_A_WHILE = timedelta(milliseconds=200)


@example("TIME-07")
def time_goes_on_in_a_transaction(case: Case) -> None:
    """In a transaction that has been open for a while, now is when a call is made, not when the transaction began."""
    if not case.capabilities.transactions:
        return
    record = case.running()
    with case.backend.transaction() as transaction:
        [first] = case.backend.insert([NewRecord(kind="first", run_at=LEASE)], transaction=transaction)
        case.raw.wait(["none"], timeout=_A_WHILE)
        [late] = case.backend.insert([NewRecord(kind="late")], transaction=transaction)
        case.backend.settle([Complete(record.claim)], transaction=transaction)
    since = first.record.created_at + _A_WHILE / 2
    for moment in (late.record.created_at, late.record.run_at, case.stored(record).finished_at):
        case.that(moment is not None and moment > since, f"later than {since}", moment)


@example("CAP-03")
def keys_of_the_rolled_back_are_free(case: Case) -> None:
    """A job whose key an open transaction has taken is stored when that rolls back; before, it may be waited for."""
    new, other = NewRecord(kind="k", unique_key="key"), case.client()
    with suppress(_RollBack), case.backend.transaction() as transaction:
        case.backend.insert([NewRecord(kind="k", unique_key="key")], transaction=transaction, now=NOW)
        insert = Beside(lambda: other.insert([new], now=NOW))
        with suppress(TimeoutError):
            insert.answer(_A_WHILE.total_seconds())
        raise _RollBack
    [answer] = insert.answer()
    case.equal((new.id, True), (answer.record.id, answer.created))
    case.equal([new.id], [record.id for record in case.claim()])


@example("CAP-08")
def cancels_meet_what_has_ended(case: Case) -> None:
    """A cancel that comes while an attempt's end is not committed yet leaves the job alone once that is."""
    record, other = case.running(), case.client()
    with case.backend.transaction() as transaction:
        case.backend.settle([Complete(record.claim)], transaction=transaction, now=NOW)
        cancel = Beside(lambda: other.cancel(Filter(), limit=1, now=NOW))
        with suppress(TimeoutError):
            cancel.answer(_A_WHILE.total_seconds())
    changed = list(cancel.answer())
    case.equal(State.COMPLETED, case.stored(record).state)
    case.that(changed in ([], [record.id]), "no other job changed", changed)


class _RollBack(Exception):
    pass
