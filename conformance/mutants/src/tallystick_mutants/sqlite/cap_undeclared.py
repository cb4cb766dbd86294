"""Bugs in backends that do not declare a capability, but must not do harm without it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event

from tallystick import Capabilities
from tallystick_sqlite import SqliteBackend

from ..patch import SQLITE


class LosesOne(SqliteBackend):
    """A store that is not durable loses one job of a batch, and keeps the others."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, durable=False)

    def setup(self) -> None:
        super().setup()
        statement = "DELETE FROM tallystick_jobs WHERE id = (SELECT max(id) FROM tallystick_jobs)"
        self._writer.write(sqlite3.Connection.execute, statement)


class BeginsAnew(SqliteBackend):
    """A store for a single process is emptied when another process opens it."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, multi_process=False)

    def setup(self) -> None:
        super().setup()
        self._writer.write(sqlite3.Connection.execute, "DELETE FROM tallystick_jobs")


class WaitsForItsOwn(SqliteBackend):
    """A wait that other clients' inserts do not wake lasts until its own client inserts a job."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, notify=False)

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        return bool(timeout) and Event().wait(60)


MUTANTS = tuple(
    SQLITE.mutant(name, clause, make)
    for name, clause, make in (
        ("forgets by half", "CAP-05", LosesOne),
        ("begins anew", "CAP-06", BeginsAnew),
        ("waits for its own", "CAP-07", WaitsForItsOwn),
    )
)
