"""Bugs of what is there before setup: nothing, or something of somebody else's."""

from collections.abc import Sequence

from tallystick import ForeignStore, NotSetUp, Queue
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend

from .sqlite_patch import URL


class Overwrites(SqliteBackend):
    """A file that is no database is taken for an empty one."""

    def setup(self) -> None:
        path = self._location.path
        if path.is_file() and not path.read_bytes().startswith(b"SQLite format 3"):
            path.write_bytes(b"")
        super().setup()


class RemovesTheFile(SqliteBackend):
    """Teardown removes the file, with the tables that others have in it."""

    def teardown(self) -> None:
        super().teardown()
        self._location.path.unlink(missing_ok=True)


class ReadsNothing(SqliteBackend):
    """A file that others made is taken for a store without queues."""

    def queues(self) -> Sequence[Queue]:
        try:
            return super().queues()
        except ForeignStore:
            return []


class LetsErrorsThrough(SqliteBackend):
    """A store that was not set up is told with an error of the driver's."""

    def queues(self) -> Sequence[Queue]:
        try:
            return super().queues()
        except NotSetUp as exc:
            raise RuntimeError("no such table: tallystick_queues") from exc


MUTANTS = (
    Mutant("overwrites files", "SETUP-10", Overwrites, Overwrites.__doc__ or "", url=URL),
    Mutant("removes the file", "SETUP-10", RemovesTheFile, RemovesTheFile.__doc__ or "", url=URL),
    Mutant("reads nothing in others' files", "SETUP-10", ReadsNothing, ReadsNothing.__doc__ or "", url=URL),
    Mutant("lets errors through", "SETUP-09", LetsErrorsThrough, LetsErrorsThrough.__doc__ or "", url=URL),
)
