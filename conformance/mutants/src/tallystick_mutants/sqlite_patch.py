"""Break the SQLite backend by changing one part of one SQL statement."""

from functools import cache, partial

from tallystick import Backend
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend, queries

URL = "sqlite:///{folder}/mutant.db"


def patched(name: str, clause: str, query: str, old: str, new: str, source: str = "") -> Mutant:  # noqa: PLR0917 - a table is easier to read without keywords
    """Return a mutant with `new` in place of `old` in one statement."""
    words = (" ".join(part.split()) or "nothing" for part in (old, new))
    bug = "{}: {} becomes {}.".format(query.lower(), *words)
    return Mutant(name, clause, partial(_patch, query, old, new), bug, source, URL)


@cache
def _patch(query: str, old: str, new: str) -> type[Backend]:
    """Break a statement once per process, because a mutant may be created more than once."""
    text = getattr(queries, query)
    if old not in text:
        raise LookupError(f"{query} has no {old!r}; the plugin has changed: adapt this mutant")
    setattr(queries, query, text.replace(old, new))
    return SqliteBackend
