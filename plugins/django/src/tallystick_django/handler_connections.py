"""The connections of Django that handlers use in the threads of a worker."""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from django.db import close_old_connections, connections
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
            close_old_connections()
            self._used.update(connections.all())
            done: Callable[[], None] = close_old_connections
            return done
        return None

    def close(self) -> None:
        """Close the connections that are left. The worker has stopped."""
        for database in list(self._used):
            self._used.discard(database)
            database.inc_thread_sharing()  # Django lets only the thread of a connection close it
            database.close()
