"""Break the PostgreSQL backend by changing a part of a statement, or with a subclass."""

from collections.abc import Mapping, Sequence
from typing import Any

from tallystick import Backend
from tallystick_conformance import Mutant
from tallystick_postgres import PostgresBackend
from tallystick_postgres.execute import on
from tallystick_postgres.location import Location
from tallystick_postgres.queries import Queries

URL = "{postgres}"

MIGRATION = "migration"
"""The name by which `patched` finds the statements of the first migration."""


class Broken(PostgresBackend):
    """The base class of mutants that run SQL of their own."""

    def _run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Execute a statement in its own transaction, with the schema in place of `{schema}`, and return its rows."""
        return self._connections.transact(lambda cursor: on(cursor)(_named(self._queries, statement), parameters or {}))


def mutant(name: str, clause: str, make: type[Backend], source: str = "") -> Mutant:
    """Return a mutant for a class, with the first line of its docstring as the bug."""
    return Mutant(name, clause, make, (make.__doc__ or "").strip().partition("\n")[0], source, URL)


def patched(name: str, clause: str, query: str, old: str, new: str, source: str = "", bug: str = "") -> Mutant:  # noqa: PLR0917 - a table is easier to read without keywords
    """Return a mutant with `new` in place of `old` in one statement."""
    words = (" ".join(part.split()) or "nothing" for part in (old, new))
    text = bug or "{}: {} becomes {}.".format(query, *words)
    return Mutant(name, clause, _patch(query, old, new), text, source, URL)


def _patch(query: str, old: str, new: str) -> type[Backend]:
    class Patched(PostgresBackend):
        def __init__(self, location: Location) -> None:
            super().__init__(location)
            patch(self._queries, query, old, new)

    return Patched


def patch(queries: Queries, query: str, old: str, new: str) -> None:
    """Replace a part of a statement, with `{schema}` and `{now}` as in the SQL files."""
    before, after = _named(queries, old), _named(queries, new)
    text = queries.migrations[0] if query == MIGRATION else getattr(queries, query)
    if before not in text:
        raise LookupError(f"{query} has no {old!r}; the plugin has changed: adapt this mutant")
    if query == MIGRATION:
        queries.migrations[0] = text.replace(before, after)
    else:
        setattr(queries, query, text.replace(before, after))


def replace(module: object, name: str, value: object) -> None:
    """Replace an attribute of a module or class. Each mutant runs in its own process."""
    setattr(module, name, value)


def _named(queries: Queries, text: str) -> Any:
    return queries._named(text)  # noqa: SLF001 - mutants may use private names
