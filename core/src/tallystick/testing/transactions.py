"""Transactions in a test, on a store that has none: calls in a transaction take effect at its commit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from ..backends import calls, keys
from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.outcomes import Outcome
from ..contract.records import Inserted, NewRecord, Record
from ..contract.state import State
from ..errors import InvalidArgument, Unavailable, Unsupported
from ..messages.safe_repr import type_name

_PAGE = 1_000


def add_transactions(backend: Backend) -> None:
    """Let a store of a test take the transactions that `transaction` opens, if it has none of its own."""
    if not backend.capabilities.transactions:
        for name, method in (("insert", Transaction.insert), ("settle", Transaction.settle)):
            setattr(backend, name, _in_transaction(getattr(backend, name), method))


@contextmanager
def transaction(backend: Backend, now: Callable[[], datetime]) -> Iterator[object]:
    """Open a transaction on a store of a test. It commits at the end of the block, and rolls back on an exception."""
    if backend.capabilities.transactions:
        with backend.transaction() as own:
            yield own
        return
    opened = Transaction(backend, now)
    try:
        yield opened
        opened.commit()
    finally:
        opened.has_ended = True


class Transaction:
    """The calls of one transaction, which take effect together at `commit`. Until then, no other call sees them."""

    def __init__(self, backend: Backend, now: Callable[[], datetime]) -> None:
        self._backend = backend
        self._now = now
        self._own: dict[UUID, Record] = {}
        self._effects: list[tuple[Callable[[], Sequence[Any]], Sequence[Any]]] = []
        self.has_ended = False

    def insert(self, records: Sequence[NewRecord]) -> Sequence[Inserted]:
        """Return what `Backend.insert` will return at the commit."""
        now = self._now()
        call = calls.insert(records, self._backend.capabilities, now=now)
        expected = [self._inserted(new, record, now) for new, record in zip(call.records, call.stored(), strict=True)]
        self._effects.append((lambda: self._backend.insert(call.records), expected))
        return expected

    def settle(self, outcomes: Sequence[Outcome]) -> Sequence[bool]:
        """Return what `Backend.settle` will return at the commit."""
        claims = [outcome.claim for outcome in outcomes]
        running = self._backend.get([claim.id for claim in claims])
        expected = [
            claim.id in running
            and running[claim.id].state is State.RUNNING
            and running[claim.id].attempt == claim.attempt
            for claim in claims
        ]
        self._effects.append((lambda: self._backend.settle(outcomes), expected))
        return expected

    def commit(self) -> None:
        """Apply the calls.

        Raises:
            Unavailable: Another call has changed the jobs in the meantime.
        """
        self.has_ended = True
        for apply, expected in self._effects:
            if list(map(_decision, apply())) != list(map(_decision, expected)):
                raise Unavailable("another call changed the jobs of this transaction; begin the transaction again")

    def _inserted(self, new: NewRecord, record: Record, now: datetime) -> Inserted:
        known = self._own.get(new.id) or self._backend.get([new.id]).get(new.id)
        holder = None if known is not None else self._holder(record.unique_key, now)
        if known is not None:
            return Inserted(known, created=False)
        result = Inserted(record, created=True) if holder is None else keys.met(holder, new, record.run_at, now)
        if result.created or result.applied:
            self._own[result.record.id] = result.record
        return result

    def _holder(self, key: str | None, now: datetime) -> Record | None:
        if key is None:
            return None
        stored = self._backend.list(Filter(unique_keys=[key]), limit=_PAGE)
        known = {record.id: record for record in stored} | {
            record.id: record for record in self._own.values() if record.unique_key == key
        }
        return next((record for record in known.values() if keys.takes(record, now)), None)


def _decision(result: Any) -> object:
    """Return the part of a result that must be the same at the commit."""
    return (result.record.id, result.created, result.applied) if isinstance(result, Inserted) else result


def _in_transaction(method: Callable[..., Any], later: Callable[[Transaction, Any], Any]) -> Callable[..., Any]:
    def call(items: Any, *, transaction: object | None = None, **options: Any) -> Any:
        if transaction is None:
            return method(items, **options)
        if not isinstance(transaction, Transaction):
            raise Unsupported(
                f"the store of this test has no transactions of the type {type_name(transaction)}; pass one from `with "
                "jobs.transaction() as transaction:`, or test on your database: manual(runner, url=...)"
            )
        if transaction.has_ended:
            raise InvalidArgument("transaction has ended; use it inside its `with jobs.transaction()` block")
        return later(transaction, items)

    return call
