"""Steps of stores that use SQLite: each statement, by the trace callback of its connection."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from .steps import OnStep, Steps


class Statements(Steps):
    """Each SQL statement of each connection that was opened while armed, from whichever thread executes it."""

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """See the statements of the connections that are opened in this block."""
        with ExitStack() as stack:
            for name in ("sqlite3", "sqlite3.dbapi2"):
                if (module := sys.modules.get(name)) is not None:
                    stack.enter_context(patch.object(module, "connect", self._watching(module.connect, on_step)))
            yield

    def watch(self, connection: Any, on_step: OnStep) -> None:
        """See the statements of a connection."""
        connection.set_trace_callback(lambda _: on_step(None))

    def _watching(self, connect: Callable[..., Any], on_step: OnStep) -> Callable[..., Any]:
        def watching(*args: Any, **kwargs: Any) -> Any:
            connection = connect(*args, **kwargs)
            self.watch(connection, on_step)
            return connection

        return watching
