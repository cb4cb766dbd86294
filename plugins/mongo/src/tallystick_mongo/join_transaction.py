"""Taking part in a caller's own transaction: a session of the driver, of whatever client."""

from pymongo.client_session import ClientSession
from tallystick import InvalidArgument

from .collections import Collections
from .location import Location


def lent(transaction: object, location: Location) -> Collections:
    """Return the store's collections within a caller's transaction, which is neither begun nor ended here.

    Raises:
        InvalidArgument: it is something else, or a session without an open transaction; nothing was done.
    """
    if not isinstance(transaction, ClientSession):
        raise InvalidArgument(
            f"transaction is of type {type(transaction).__module__}.{type(transaction).__qualname__}; it must be a "
            "pymongo ClientSession in a transaction"
        )
    if transaction.has_ended or not transaction.in_transaction:
        raise InvalidArgument(
            "transaction is a session without an open transaction; begin one: `with session.start_transaction():`"
        )
    return Collections.of(transaction.client, location, transaction)
