"""Bugs when a BaseException ends a caller's transaction."""

from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import closing, contextmanager
from sqlite3 import Connection

from tallystick_sqlite import SqliteBackend, schema

from ..patch import SQLITE


class _CommitsAfter(SqliteBackend):
    spared: tuple[type[BaseException], ...] = ()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._lifetime.check()
        with closing(schema.open_store(self._location)) as connection:
            connection.execute(self._queries.begin_write)
            try:
                yield connection
            except self.spared:
                connection.commit()
                raise
            connection.commit()


class CommitsWhenCancelled(_CommitsAfter):
    """The transaction of a cancelled task commits."""

    spared = (CancelledError,)


class CommitsWhenInterrupted(_CommitsAfter):
    """The transaction of an interrupted program commits."""

    spared = (KeyboardInterrupt, SystemExit)


class CommitsWhenClosed(_CommitsAfter):
    """The transaction of a closed generator commits."""

    spared = (GeneratorExit,)


MUTANTS = tuple(
    SQLITE.mutant(name, clause, make, "M4")
    for name, clause, make in (
        ("commits when it is cancelled", "CAP-03", CommitsWhenCancelled),
        ("commits when it is interrupted", "CAP-09", CommitsWhenInterrupted),
        ("commits when its generator is closed", "CAP-03", CommitsWhenClosed),
    )
)
