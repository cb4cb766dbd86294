"""Taking part in a caller's own transaction: what may be given as one, and how statements are executed in it.

A driver other than psycopg is known only where the caller has imported it: what is not imported cannot have been given.
"""

from tallystick import InvalidArgument

from . import transaction_psycopg, transaction_sqlalchemy
from .execute import Execute


def lent(transaction: object) -> Execute:
    """Return what executes statements in a caller's transaction, which it neither begins nor ends.

    A connection that begins a transaction with its first statement, as most do, need not have begun it.

    Raises:
        InvalidArgument: it is of another kind, closed, aborted, or commits each statement; nothing was executed.
    """
    execute = transaction_psycopg.lent(transaction) or transaction_sqlalchemy.lent(transaction)
    if execute is not None:
        return execute
    raise InvalidArgument(
        f"transaction is of type {type(transaction).__module__}.{type(transaction).__qualname__}; it must be a "
        "Connection or AsyncConnection of psycopg, or a Connection, Session, AsyncConnection or AsyncSession of "
        "SQLAlchemy. For other drivers there is tallystick_postgres.insert_statement"
    )
