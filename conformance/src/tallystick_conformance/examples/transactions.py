"""Transactions that stay open for a while: the current time in them, and their effect on other clients."""

from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial

from tallystick import Cancel, Complete, Discard, Failure, Filter, NewRecord, Release, Retry, State, Unavailable

from ..harness.case import LEASE, NOW, Case, example
from ..harness.threads import Beside

_A_WHILE = timedelta(milliseconds=200)
_ERROR = Failure("E", "m")
_ENDS = (
    partial(Complete, result=b"result"),
    partial(Retry, run_at=LEASE, error=_ERROR),
    partial(Discard, error=_ERROR),
    partial(Release, run_at=LEASE),
    Cancel,
)


@example("TIME-07")
def time_goes_on_in_a_transaction(case: Case) -> None:
    """Without `now`, a call in a transaction uses the time of the call, not the start of the transaction."""
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


@example("CAP-03")
def keys_of_the_rolled_back_are_free(case: Case) -> None:
    """An insert stores its job after the open transaction that holds its unique key rolls back.

    It may wait until then.
    """
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


class _RollBack(Exception):
    pass
