"""Bugs when the file has no store yet: it is missing, or belongs to another application."""

from collections.abc import Sequence

from tallystick import ForeignStore, NotSetUp, Queue
from tallystick_sqlite import SqliteBackend

from ..patch import SQLITE


class Overwrites(SqliteBackend):
    """A file that is not a database is treated as an empty one."""

    def setup(self) -> None:
        path = self._location.path
        if path.is_file() and not path.read_bytes().startswith(b"SQLite format 3"):
            path.write_bytes(b"")
        super().setup()


class RemovesTheFile(SqliteBackend):
    """teardown deletes the file, including other applications' tables."""

    def teardown(self) -> None:
        super().teardown()
        self._location.path.unlink(missing_ok=True)


class ReadsNothing(SqliteBackend):
    """A file of another application is treated as a store without queues."""

    def queues(self) -> Sequence[Queue]:
        try:
            return super().queues()
        except ForeignStore:
            return []


class LetsErrorsThrough(SqliteBackend):
    """A missing store raises an error of the driver."""

    def queues(self) -> Sequence[Queue]:
        try:
            return super().queues()
        except NotSetUp as exc:
            raise RuntimeError("no such table: tallystick_queues") from exc


MUTANTS = (
    SQLITE.mutant("overwrites files", "SETUP-10", Overwrites),
    SQLITE.mutant("removes the file", "SETUP-10", RemovesTheFile),
    SQLITE.mutant("reads nothing in others' files", "SETUP-10", ReadsNothing),
    SQLITE.mutant("lets errors through", "SETUP-09", LetsErrorsThrough),
)
