"""Steps of stores that use SQLite: each statement, which the connection's trace callback reports."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from .observer import OnStep, StepObserver


class Statements(StepObserver):
    """Each SQL statement, on each connection opened while armed, is a step of the thread that executes it."""

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """Observe the statements of the connections that are opened in this block."""
        with ExitStack() as stack:
            for name in ("sqlite3", "sqlite3.dbapi2"):
                if (module := sys.modules.get(name)) is not None:
                    stack.enter_context(patch.object(module, "connect", self._watching(module.connect, on_step)))
            yield

    def watch(self, connection: Any, on_step: OnStep) -> None:
        """Observe the statements of a connection."""
        connection.set_trace_callback(lambda _: on_step(None))

    def _watching(self, connect: Callable[..., Any], on_step: OnStep) -> Callable[..., Any]:
        def watching(*args: Any, **kwargs: Any) -> Any:
            connection = connect(*args, **kwargs)
            self.watch(connection, on_step)
            return connection

        return watching
