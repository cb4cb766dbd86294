"""Transactions that roll back, also by an interrupt, a cancelled task or a closed generator."""

from asyncio import CancelledError
from collections.abc import Generator
from contextlib import suppress
from datetime import timedelta

from tallystick import Complete, Filter, Hold, NewRecord, OnConflict, State

from ..harness.case import LEASE, NOW, Case, example
from ..harness.threads import Beside


class _RollBack(Exception):
    """Raised in a transaction to roll it back."""


_INTERRUPTS: tuple[type[BaseException], ...] = (CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit)

_POLICIES: tuple[OnConflict, ...] = ("replace", "debounce")

_A_WHILE = timedelta(milliseconds=200)


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


@example("CAP-03")
def a_replaced_job_comes_back_with_the_rollback(case: Case) -> None:
    """A rollback undoes a `replace` and a `debounce`, and the holder keeps its key."""
    holder = case.insert(NewRecord(kind="k", payload=b"old", unique_key="key"))[0]
    with suppress(_RollBack), case.backend.transaction() as transaction:
        for policy in _POLICIES:
            new = NewRecord(kind="k", payload=b"new", unique_key="key", on_conflict=policy, run_at=_A_WHILE)
            answer = case.backend.insert([new], transaction=transaction, now=NOW)[0]
            case.equal((holder.id, b"new", policy), (answer.record.id, answer.record.payload, answer.applied))
        raise _RollBack
    case.equal([holder], list(case.backend.list(Filter(), limit=9)))
    case.equal(holder.id, case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].record.id)


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


@example("CAP-03")
def an_interrupt_undoes_an_insert(case: Case) -> None:
    """A BaseException rolls back the transaction and its insert, and the client still works."""
    for interrupt in _INTERRUPTS:
        new = NewRecord(kind="k", queue="q", unique_key="key")
        with suppress(interrupt), case.backend.transaction() as transaction:
            case.backend.insert([new], transaction=transaction, now=NOW)
            raise interrupt
        _require_undone(case, new, interrupt.__name__)


@example("CAP-03")
def a_closed_generator_undoes_an_insert(case: Case) -> None:
    """Closing a generator before its end rolls back the transaction in it."""
    new = NewRecord(kind="k", queue="q", unique_key="key")

    def inserting() -> Generator[None, None, None]:
        with case.backend.transaction() as transaction:
            case.backend.insert([new], transaction=transaction, now=NOW)
            yield

    generator = inserting()
    next(generator)
    generator.close()
    _require_undone(case, new, "the close of its generator")


def _require_undone(case: Case, new: NewRecord, left_by: str) -> None:
    other = case.client()
    case.that(not other.get([new.id]), f"no job after {left_by}", "the job is stored")
    case.equal(0, other.stats(now=NOW).total)
    free = [answer.created for answer in other.insert([new], now=NOW)]
    case.that(free == [True], f"a free key after {left_by}", free)
    claimed = case.only(case.claim(queues=["q"]))
    case.equal([True], list(case.backend.settle([Complete(claimed.claim)], now=NOW)))
    case.backend.delete(Filter(), limit=1)


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
    [answer] = case.backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)
    case.equal((record.id, False), (answer.record.id, answer.created))
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
            [follow_up] = case.backend.insert([NewRecord(kind="k", unique_key="key")], transaction=transaction, now=NOW)
            case.equal(True, follow_up.created)
            if fails:
                raise _RollBack
        case.equal(1 if fails else 2, len(case.backend.list(Filter(), limit=9)))


@example("CAP-09")
def an_interrupt_undoes_a_settle(case: Case) -> None:
    """A BaseException rolls back a settle, and its attempt still runs."""
    for interrupt in _INTERRUPTS:
        record = case.running()
        with suppress(interrupt), case.backend.transaction() as transaction:
            case.backend.settle([Complete(record.claim)], transaction=transaction, now=NOW)
            raise interrupt
        case.equal((interrupt, State.RUNNING), (interrupt, case.stored(record).state))
        case.equal([True], list(case.client().settle([Complete(record.claim)], now=NOW)))
