"""Transactions that end with a BaseException: a cancelled task, an interrupt or a closed generator."""

from asyncio import CancelledError
from collections.abc import Generator
from contextlib import suppress

from tallystick import Complete, Filter, NewRecord, State

from ..harness.case import NOW, Case, example

_INTERRUPTS: tuple[type[BaseException], ...] = (CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit)


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


def _require_undone(case: Case, new: NewRecord, left_by: str) -> None:
    other = case.client()
    case.that(not other.get([new.id]), f"no job after {left_by}", "the job is stored")
    case.equal(0, other.stats(now=NOW).total)
    free = [answer.created for answer in other.insert([new], now=NOW)]
    case.that(free == [True], f"a free key after {left_by}", free)
    claimed = case.only(case.claim(queues=["q"]))
    case.equal([True], list(case.backend.settle([Complete(claimed.claim)], now=NOW)))
    case.backend.delete(Filter(), limit=1)
