"""Taking part in a caller's own transaction."""

from collections.abc import Sequence
from datetime import datetime

import psycopg
from windlass import Inserted, InvalidArgument, NewRecord

from .execute import on
from .inserting import insert as insert_by
from .queries import Queries


def insert(
    transaction: object, queries: Queries, records: Sequence[NewRecord], now: datetime | None
) -> Sequence[Inserted]:
    """Store new jobs in a caller's transaction."""
    if not isinstance(transaction, psycopg.Connection):
        raise InvalidArgument(f"transaction is {transaction!r}; it must be a connection")
    with transaction.cursor(binary=True) as cursor:
        return insert_by(on(cursor), queries, records, now)
