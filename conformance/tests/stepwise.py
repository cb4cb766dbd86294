"""Backends with calls in two steps instead of one: correct alone, but wrong if another call or a crash intervenes.

Child processes that die import them too, so they have their own module.
"""

# ruff: noqa: D102 - the class docstring describes the bug of its method

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick import CLAIMABLE, Complete, Filter, NewRecord, Outcome
from tallystick.backends import transitions
from tallystick.backends.times import micros
from tallystick_memory import MemoryBackend
from tallystick_sqlite import SqliteBackend


class SelectsThenUpdates(MemoryBackend):
    """A claim chooses jobs under the lock, releases it, and then takes the chosen jobs."""

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        with self._locked() as store:
            found = [r for r in store.records.values() if r.state in CLAIMABLE and r.run_at <= now]
            found = [r for r in found if r.queue in queues and r.queue not in store.paused][:limit]
        claimed = [transitions.claimed(record, worker, now + lease, now) for record in found]
        with self._locked() as store:
            for record in claimed:
                store.put(record)
        return claimed


class TakesTheSelected(SqliteBackend):
    """A claim selects in one transaction and updates in the next, by id."""

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        found = self.list(Filter(queues=queues, states=list(CLAIMABLE)), limit=limit)
        due = [transitions.claimed(record, worker, now + lease, now) for record in found if record.run_at <= now]
        parameters = [
            {"id": r.id.bytes, "until": _micros(r.lease_until), "now": _micros(now), "worker": worker} for r in due
        ]
        self._writer.write(
            sqlite3.Connection.executemany,
            "UPDATE tallystick_jobs SET state = 'running', attempt = attempt + 1, lease_until = :until, "
            "worker = :worker, attempted_at = :now, updated_at = :now WHERE id = :id",
            parameters,
        )
        return due


class CommitsEach(SqliteBackend):
    """An insert commits each of its records separately."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Any:
        return [answer for record in records for answer in super(CommitsEach, self).insert([record], **options)]


class AnswersFirst(SqliteBackend):
    """A settle returns at once, and is written by the next call."""

    _late: Sequence[Outcome] = ()

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        super().settle(self._late, transaction=transaction, now=now)
        self._late = [outcome for outcome in outcomes if isinstance(outcome, Complete)]
        rest = iter(
            super().settle([o for o in outcomes if not isinstance(o, Complete)], transaction=transaction, now=now)
        )
        return [isinstance(outcome, Complete) or next(rest) for outcome in outcomes]


class RescuesInTwoSteps(SqliteBackend):
    """A rescue removes the leases in one transaction, and rescues the jobs without a lease in the next."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        self._writer.write(
            sqlite3.Connection.execute,
            "UPDATE tallystick_jobs SET lease_until = 0 WHERE state = 'running' AND lease_until <= ?",
            [_micros(now)],
        )
        return super().rescue(limit=limit, now=now)


class LocksAndUnlocks(SqliteBackend):
    """A claim pauses its queues while it works, so that no other client claims."""

    def claim(self, queues: Sequence[str], **options: Any) -> Any:
        paused = {queue.name for queue in self.queues() if queue.paused}
        for queue in queues:
            self._writer.write(sqlite3.Connection.execute, self._queries.pause, {"queue": queue})
        for queue in set(queues) - paused:
            self.resume(queue)
        return super().claim(queues, **options)


class SetsUpOnce(SqliteBackend):
    """A setup creates a mark next to the file, and fails if another setup has already created it."""

    def setup(self) -> None:
        mark = self._location.path.with_suffix(".making")
        mark.touch(exist_ok=False)
        super().setup()
        mark.unlink()


def _micros(moment: datetime | None) -> int:
    assert moment is not None
    return micros(moment)
