"""Enqueue a job in the transaction of the code that calls it."""

from datetime import datetime, timedelta
from typing import TypeVar, Unpack

from django.db import connections
from tallystick import Call, EnqueueOptions, Handle, InvalidArgument, Job

from .conf import database_alias
from .project_runner import get_runner

R = TypeVar("R")


def enqueue(
    job: Job[R] | Call[R], *, run_at: datetime | timedelta | None = None, **options: Unpack[EnqueueOptions]
) -> Handle[R]:
    """Store a job. Inside `atomic()`, it is part of that transaction: both are committed, or neither.

    Args:
        run_at: When the job is due, as for `Runner.enqueue`.
        options: The options of `Runner.enqueue`.

    Raises:
        InvalidArgument: The call is inside `atomic()`, and the store is not in that database. Write
            `transaction.on_commit(partial(get_runner().enqueue, job))`.
    """
    return get_runner().enqueue(job, run_at=run_at, **_with_transaction(options))


def _with_transaction(options: EnqueueOptions) -> EnqueueOptions:
    return {**open_transaction(), **options}


def open_transaction() -> EnqueueOptions:
    """Return the option `transaction` if Django has one open in the database of the store.

    Raises:
        InvalidArgument: A transaction is open in a database, but the store is elsewhere.
    """
    alias = database_alias()
    if alias is None:
        if open_databases():
            raise InvalidArgument(
                "a transaction of Django is open, and the store is not in its database, so the job would be stored "
                "even if the transaction rolls back; write transaction.on_commit(partial(get_runner().enqueue, job))"
            )
        return {}
    if not get_runner().backend.capabilities.transactions:  # a test has replaced the store; it may forbid connections
        return {}
    database = connections[alias]
    if not database.in_atomic_block and database.get_autocommit():
        return {}
    database.ensure_connection()
    return {"transaction": database.connection}


def open_databases() -> list[str]:
    """Return the aliases of the databases in whose `atomic()` this thread is."""
    return [database.alias for database in connections.all(initialized_only=True) if database.in_atomic_block]
