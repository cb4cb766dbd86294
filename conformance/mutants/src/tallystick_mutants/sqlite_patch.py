"""Breaking the SQLite backend by one word of one of its statements."""

from functools import cache, partial

from tallystick import Backend
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend, queries

URL = "sqlite:///{folder}/mutant.db"


def patched(name: str, clause: str, query: str, old: str, new: str, source: str = "") -> Mutant:  # noqa: PLR0917 - a table reads better without six names in each row
    """Return a mutant whose statement has `new` in place of `old`."""
    words = (" ".join(text.split()) or "nothing" for text in (old, new))
    bug = "{}: {} becomes {}.".format(query.lower(), *words)
    return Mutant(name, clause, partial(_patch, query, old, new), bug, source, URL)


@cache
def _patch(query: str, old: str, new: str) -> type[Backend]:
    """Break a statement, once in each process: what makes a mutant may come there more than once."""
    text = getattr(queries, query)
    if old not in text:
        raise LookupError(f"{query} has no {old!r}; the plugin has changed, and this mutant must follow")
    setattr(queries, query, text.replace(old, new))
    return SqliteBackend
