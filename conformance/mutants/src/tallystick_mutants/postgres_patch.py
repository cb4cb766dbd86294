"""Breaking the PostgreSQL backend: by a word of one of its statements, or by a class over it."""

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
"""The name of the statements that make the tables, for `patched`."""


class Broken(PostgresBackend):
    """What the classes of mutants have in common: statements of their own."""

    def _run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Execute a statement that returns rows, with the schema's name for `{schema}`, in a transaction of its own."""
        return self._connections.transact(lambda cursor: on(cursor)(_named(self._queries, statement), parameters or {}))


def mutant(name: str, clause: str, make: type[Backend], source: str = "") -> Mutant:
    """Return the mutant of a class, whose docstring says what is wrong with it."""
    return Mutant(name, clause, make, (make.__doc__ or "").strip().partition("\n")[0], source, URL)


def patched(name: str, clause: str, query: str, old: str, new: str, source: str = "", bug: str = "") -> Mutant:  # noqa: PLR0917 - a table reads better without six names in each row
    """Return a mutant whose statement has `new` in place of `old`."""
    words = (" ".join(text.split()) or "nothing" for text in (old, new))
    told = bug or "{}: {} becomes {}.".format(query, *words)
    return Mutant(name, clause, _patch(query, old, new), told, source, URL)


def _patch(query: str, old: str, new: str) -> type[Backend]:
    class Patched(PostgresBackend):
        def __init__(self, location: Location) -> None:
            super().__init__(location)
            patch(self._queries, query, old, new)

    return Patched


def patch(queries: Queries, query: str, old: str, new: str) -> None:
    """Replace a part of a statement, in which `{schema}` and `{now}` stand for what they do in its file."""
    before, after = _named(queries, old), _named(queries, new)
    text = queries.migrations[0] if query == MIGRATION else getattr(queries, query)
    if before not in text:
        raise LookupError(f"{query} has no {old!r}; the plugin has changed, and this mutant must follow")
    if query == MIGRATION:
        queries.migrations[0] = text.replace(before, after)
    else:
        setattr(queries, query, text.replace(before, after))


def replace(module: object, name: str, value: object) -> None:
    """Put something else in the place of a name of a module or class; a mutant's process is its own."""
    setattr(module, name, value)


def _named(queries: Queries, text: str) -> Any:
    return queries._named(text)  # noqa: SLF001 - a mutant is a part of what it breaks
