"""Bugs in setup and names: races to create a schema, and names in SQL without quoting."""

from typing import Any

from tallystick_conformance import Mutant
from tallystick_postgres.connections import connect
from tallystick_postgres.location import Location, namespaced

from ..patch import POSTGRES
from .base import Broken

mutant, patched = POSTGRES.mutant, POSTGRES.patched


class SetsUpWithoutALock(Broken):
    """Two concurrent setups create the same tables, and one of them fails."""

    def setup(self) -> None:
        self._queries.lock = "SELECT 1"
        super().setup()


class LeavesNamesBare(Broken):
    """A schema name with a capital letter is not quoted, so setup creates one schema, and later calls use another."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return namespaced(url, namespace).replace("schema=tallystick_", "schema=Tallystick_")

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        quoted, bare = f'"{location.schema}"', location.schema
        self._queries.migrations = [text.replace(quoted, bare) for text in self._queries.migrations]
        for name, text in vars(self._queries).items():
            if isinstance(text, str):
                setattr(self._queries, name, text.replace(quoted, bare))

    def teardown(self) -> None:
        with connect(self._location) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {self._location.schema} CASCADE")


class WritesNamesIn(Broken):
    """A pause inserts the queue's name into the SQL text without quoting."""

    def pause(self, queue: str) -> None:
        super().pause(queue)
        text: Any = self._queries._named(f"DELETE FROM {{schema}}.paused_queues WHERE name LIKE '{queue}' AND FALSE")  # noqa: SLF001, S608
        self._connections.transact(lambda cursor: cursor.execute(text.replace("%", "%%")))


MUTANTS: tuple[Mutant, ...] = (
    mutant("sets up without a lock", "SETUP-05", SetsUpWithoutALock, "L1"),
    mutant("leaves names bare", "SETUP-01", LeavesNamesBare, "L4"),
    patched("drops what others made", "SETUP-10", "drop_schema", "DROP SCHEMA {schema}",
            "DROP SCHEMA {schema} CASCADE", "", "teardown drops the schema with everything in it."),
    mutant("writes names into statements", "NAME-03", WritesNamesIn, "L5"),
)  # fmt: skip
