"""The connections of Django that handlers use in the threads of a worker."""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from django.db import connections
from tallystick import Context, hookimpl


class HandlerConnections:
    """Closes connections that are broken or older than CONN_MAX_AGE around each job, as Django does around requests."""

    def __init__(self) -> None:
        self._used: WeakSet[Any] = WeakSet()  # Django's database objects

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None] | None:
        """Close old connections before and after a sync handler. An async one has none in its thread."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            _close_old()
            self._used.update(connections.all())
            return _close_old
        return None

    def close(self) -> None:
        """Close the connections that are left, except those in a transaction, as of a test. The worker has stopped."""
        for database in list(self._used):
            self._used.discard(database)
            if not database.in_atomic_block:
                database.inc_thread_sharing()  # Django lets only the thread of a connection close it
                database.close()
                database.dec_thread_sharing()


def _close_old() -> None:
    """Do what Django does around requests, but leave the transaction of a test open, which runs jobs in its thread."""
    for database in connections.all(initialized_only=True):
        if not database.in_atomic_block:
            database.close_if_unusable_or_obsolete()
