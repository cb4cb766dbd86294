"""The runner of a Django project."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from threading import Lock

from tallystick import Backend, Runner

from .conf import database_alias, runner_settings
from .database_url import database_url
from .handler_connections import HandlerConnections


class ProjectRunner(Runner):
    """A runner whose store is in a Django database, unless the setting `TALLYSTICK` has a `BACKEND`."""

    def __init__(self) -> None:
        super().__init__(**runner_settings())
        self._locating = Lock()
        self._connections = HandlerConnections()
        self.add_hooks(self._connections)

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
        self._connections.close()
        return unrecorded


@cache
def get_runner() -> ProjectRunner:
    """Return the runner of this project."""
    return ProjectRunner()
