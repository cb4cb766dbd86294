"""Execute statements in the caller's own transaction.

This never imports SQLAlchemy: if the caller has not imported it, the transaction cannot be one of SQLAlchemy.
"""

from tallystick import InvalidArgument

from . import transaction_psycopg, transaction_sqlalchemy
from .execute import Execute


def join_transaction(transaction: object) -> Execute:
    """Return a function that executes statements in the caller's transaction; it neither begins nor ends one.

    The connection need not have begun a transaction yet, if its driver begins one with the first statement.

    Raises:
        InvalidArgument: `transaction` has another type, is closed, is aborted, or is in autocommit mode. Nothing was
            executed.
    """
    execute = transaction_psycopg.join(transaction) or transaction_sqlalchemy.join(transaction)
    if execute is not None:
        return execute
    raise InvalidArgument(
        f"transaction is of type {type(transaction).__module__}.{type(transaction).__qualname__}; it must be a "
        "Connection or AsyncConnection of psycopg, or a Connection, Session, AsyncConnection or AsyncSession of "
        "SQLAlchemy. With any other driver, use tallystick_postgres.insert_statement"
    )
