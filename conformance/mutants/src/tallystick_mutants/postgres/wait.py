"""Bugs in waits for other clients' changes, on a listening connection."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

from tallystick import Inserted, NewRecord
from tallystick.backends.waiting import Seen, WakeUps
from tallystick_conformance import Mutant
from tallystick_postgres.connections import connect
from tallystick_postgres.listener import Listener
from tallystick_postgres.location import Location
from tallystick_postgres.waiting import Waiting

from ..patch import MIGRATION, POSTGRES
from .base import Broken

mutant, patch, patched = POSTGRES.mutant, POSTGRES.patch, POSTGRES.patched


class _Once(Listener):
    def _run(self) -> None:
        try:
            with closing(connect(self._location)) as connection:
                connection.execute(self._location.queries.listen)
                self._serve(connection)
        except Exception:
            self._inbox = None


class ListensOnce(Broken):
    """A listening connection that was lost is not opened again."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._listener = _Once(location, self._wake_ups)
        self._waiting = Waiting(self._seconds_until_due, self._wake_ups, self._listener)


class _Late(WakeUps):
    def wake_all(self) -> None:
        """Do nothing when the listener has connected."""


class MissesTheFirst(Broken):
    """A job that is inserted after a wait's query and before its LISTEN does not wake it."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._wake_ups = _Late()
        self._listener = Listener(location, self._wake_ups)
        self._waiting = Waiting(self._seconds_until_due, self._wake_ups, self._listener)


class _Forgetful(Waiting):
    def _due(self, queues: Sequence[str], seen: Seen) -> float:
        if self._last.seen == seen:
            self._last = self._last._replace(queues=queues)
        return super()._due(queues, seen)


class TakesOneQueueForAnother(Broken):
    """The next due time is cached without its queues."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._waiting = _Forgetful(self._seconds_until_due, self._wake_ups, self._listener)


class WaitsOnAConnection(Broken):
    """Each wait occupies a connection of the pool, so a few waits leave none for other calls."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return self._connections.read(lambda _: super(WaitsOnAConnection, self).wait(queues, timeout=timeout))


class TellsAfterItsInsert(Broken):
    """The client notifies others of its inserts, so those in an application's transaction wake no worker."""

    def insert(self, records: Sequence[NewRecord], *, transaction: Any = None, now: Any = None) -> Sequence[Inserted]:
        answers = super().insert(records, transaction=transaction, now=now)
        if transaction is None:
            for queue in {answer.record.queue for answer in answers if answer.created}:
                self._run("SELECT {schema}.wake(%(queue)s, NULL)", {"queue": queue})
        return answers


_INSERTED = "GROUP BY queue, kind, state;\n    PERFORM {schema}.wake(queue, run_at)"
_SILENT_INSERT = "GROUP BY queue, kind, state;\n    PERFORM queue"
_UPDATED = "HAVING sum(n) <> 0;\n    PERFORM {schema}.wake(queue, run_at)"
_SILENT_UPDATE = "HAVING sum(n) <> 0;\n    PERFORM queue"
_IS_DUE = "run_at <= statement_timestamp() AND NOT EXISTS"
_IS_NOT_PAUSED = " AND NOT EXISTS (SELECT FROM {schema}.paused_queues WHERE name = queue) THEN"

MUTANTS: tuple[Mutant, ...] = (
    mutant("listens once", "FAULT-06", ListensOnce, "M2"),
    mutant("misses what comes first", "WAIT-05", MissesTheFirst),
    mutant("takes one queue for another", "WAIT-04", TakesOneQueueForAnother),
    mutant("waits on a connection", "WAIT-05", WaitsOnAConnection),
    mutant("tells after its insert", "WAIT-05", TellsAfterItsInsert, "", patch(MIGRATION, _INSERTED, _SILENT_INSERT)),
    patched("notifies nobody", "WAIT-05", MIGRATION, "PERFORM pg_notify('{channel}', sign || queue);", "NULL;"),
    patched("notifies of inserts only", "WAIT-06", MIGRATION, _UPDATED, _SILENT_UPDATE, "",
            "A job that an update makes due sends no notification."),
    patched("takes the future for due", "WAIT-05", MIGRATION, _IS_DUE, "NOT EXISTS", "",
            "The notification about a future job says that it can be claimed now."),
    patched("takes the paused for due", "WAIT-05", MIGRATION, _IS_NOT_PAUSED, " THEN", "",
            "The notification about a job of a paused queue says that it can be claimed now."),
    patched("resumes in silence", "WAIT-06", "resume", "SELECT {schema}.wake(name, NULL) FROM resumed",
            "SELECT name FROM resumed"),
    patched("listens by a bare name", "WAIT-05", "listen", "LISTEN {channel}", "LISTEN tallystick_jobs", "L4",
            "The listener uses another channel name than the notifications."),
    patched("rounds the next due time", "WAIT-03", MIGRATION, "SELECT min(run_at) FROM lane",
            "SELECT min(run_at) + interval '1 hour' FROM lane", "B10"),
)  # fmt: skip
