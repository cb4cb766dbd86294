"""The transaction of the caller, while a call that takes part in it opens the store.

A runner sets a store up at its first use, which may be an enqueue in the caller's own transaction. If that transaction
locks the whole store, `setup` would wait for its own caller. It can read `open_transaction` and raise `NotSetUp`
instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_transaction: ContextVar[object | None] = ContextVar("tallystick_transaction", default=None)


def open_transaction() -> object | None:
    """Return the transaction that the current call takes part in; None outside `taking_part`."""
    return _transaction.get()


@contextmanager
def taking_part(transaction: object) -> Iterator[None]:
    """Let `open_transaction` return a transaction inside the block."""
    token = _transaction.set(transaction)
    try:
        yield
    finally:
        _transaction.reset(token)
