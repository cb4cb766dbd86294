"""Begin a transaction, or join the caller's: a PyMongo session of any client, in an open transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.client_session import ClientSession
from tallystick import InvalidArgument

from .collections import AnyClient, Collections
from .errors import mapped
from .location import Location


@contextmanager
def begin_transaction(client: AnyClient, location: Location) -> Iterator[ClientSession]:
    """Begin a transaction. It commits when the `with` block ends, and rolls back on an exception."""
    with mapped(location, writing=True), client.start_session() as session, session.start_transaction():
        yield session


def join_transaction(transaction: object, location: Location) -> Collections:
    """Return the store's collections, bound to the caller's transaction. The caller starts and ends it.

    Raises:
        InvalidArgument: `transaction` is not a session, or has no open transaction. The call has no effect.
    """
    if not isinstance(transaction, ClientSession):
        raise InvalidArgument(
            f"transaction is of type {type(transaction).__module__}.{type(transaction).__qualname__}; it must be a "
            "pymongo ClientSession in a transaction"
        )
    if transaction.has_ended or not transaction.in_transaction:
        raise InvalidArgument(
            "transaction is a session without an open transaction; start one: `with session.start_transaction():`"
        )
    return Collections.of(transaction.client, location, transaction)
