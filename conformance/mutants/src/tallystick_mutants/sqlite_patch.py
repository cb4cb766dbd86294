"""Break the SQLite backend by changing one part of one SQL statement."""

from tallystick import Backend
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend
from tallystick_sqlite.location import Location
from tallystick_sqlite.queries import Queries

URL = "sqlite:///{folder}/mutant.db"


def patched(name: str, clause: str, query: str, old: str, new: str, source: str = "") -> Mutant:  # noqa: PLR0917 - a table is easier to read without keywords
    """Return a mutant with `new` in place of `old` in one statement."""
    words = (" ".join(part.split()) or "nothing" for part in (old, new))
    bug = "{}: {} becomes {}.".format(query, *words)
    return Mutant(name, clause, _patch(query, old, new), bug, source, URL)


def _patch(query: str, old: str, new: str) -> type[Backend]:
    class Patched(SqliteBackend):
        def __init__(self, location: Location) -> None:
            super().__init__(location)
            patch(location.queries, query, old, new)

    return Patched


def patch(queries: Queries, query: str, old: str, new: str) -> None:
    """Replace a part of a statement, with the placeholders of the SQL files."""
    before, after = (queries._named(text) for text in (old, new))  # noqa: SLF001 - mutants may use private names
    text = getattr(queries, query)
    if before not in text:
        raise LookupError(f"{query} has no {old!r}; the plugin has changed: adapt this mutant")
    setattr(queries, query, text.replace(before, after))
