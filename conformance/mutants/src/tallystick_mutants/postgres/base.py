"""The base class of mutants that run SQL of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick_postgres import PostgresBackend
from tallystick_postgres.execute import on


class Broken(PostgresBackend):
    """A backend that can execute a statement in its own transaction."""

    def _run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Execute a statement, with placeholders as in the SQL files, and return its rows."""
        text: Any = self._queries._named(statement)  # noqa: SLF001 - mutants may use private names
        return self._connections.transact(lambda cursor: on(cursor)(text, parameters or {}))
