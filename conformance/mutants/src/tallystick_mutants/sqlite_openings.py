"""Bugs of what is there before setup: nothing, or something of somebody else's."""

from collections.abc import Sequence

from tallystick import NotSetUp, Queue
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
    Mutant("lets errors through", "SETUP-09", LetsErrorsThrough, LetsErrorsThrough.__doc__ or "", url=URL),
)
