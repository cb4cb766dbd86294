"""The runner of a Django project."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Any
from weakref import WeakSet

from django.db import close_old_connections, connections
from tallystick import Backend, Context, Runner

from .conf import database_alias, runner_settings
from .database_url import database_url


class ProjectRunner(Runner):
    """A runner whose store is in a Django database, unless the setting `TALLYSTICK` has a `BACKEND`."""

    def __init__(self) -> None:
        super().__init__(**runner_settings())
        self._locating = Lock()
        self._used_by_handlers: WeakSet[Any] = WeakSet()  # Django's database objects
        self.on_started(self._prepare_connections)

    @property
    def backend(self) -> Backend:
        """The store. The first use reads the name of the Django database, which a test run has replaced by then."""
        if not self.has_chosen_store:
            with self._locating:
                if not self.has_chosen_store and (alias := database_alias()) is not None:
                    self.configure(backend=database_url(alias))
        return super().backend

    def stop(self, *, grace: timedelta | None = None, hurried: Callable[[], bool] = lambda: False) -> int:
        """Stop the worker as `Runner.stop` does, and close the connections that handlers opened in its threads."""
        unrecorded = super().stop(grace=grace, hurried=hurried)
        for database in list(self._used_by_handlers):
            self._used_by_handlers.discard(database)
            database.inc_thread_sharing()  # Django lets only the thread of a connection close it
            database.close()
        return unrecorded

    def _prepare_connections(self, ctx: Context) -> None:
        """Close connections that an earlier job of this thread left too old or broken, as Django does for requests."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            close_old_connections()
            self._used_by_handlers.update(connections.all())


@cache
def get_runner() -> ProjectRunner:
    """Return the runner of this project."""
    return ProjectRunner()
