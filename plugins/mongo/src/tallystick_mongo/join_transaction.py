"""Join a caller's transaction: a PyMongo session of any client."""

from pymongo.client_session import ClientSession
from tallystick import InvalidArgument

from .collections import Collections
from .location import Location


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
