"""Backends whose calls are right when they are alone and alive, and wrong in the middle: each takes two steps for one.

Processes that die import them too, so they are in a module of their own.
"""

# ruff: noqa: D102 - a class says what is wrong with its method

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from windlass import CLAIMABLE, Claim, Complete, Filter, Inserted, NewRecord, Outcome, Record, State
from windlass_memory import MemoryBackend, transitions
from windlass_sqlite import SqliteBackend, queries
from windlass_sqlite.rows import micros


class SelectsThenUpdates(MemoryBackend):
    """A claim chooses under the lock, lets go, and takes what it chose."""

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        with self._locked() as store:
            found = [r for r in store.records.values() if r.state in CLAIMABLE and r.run_at <= now]
            found = [r for r in found if r.queue in queues and r.queue not in store.paused][:limit]
        claimed = [transitions.claimed(record, worker, now + lease, now) for record in found]
        with self._locked() as store:
            for record in claimed:
                store.put(record)
        return claimed


class RescuesASnapshot(MemoryBackend):
    """A rescue takes back what had expired when it looked, by id."""

    def rescue(self, *, limit: int, now: Any = None) -> Sequence[Record]:
        with self._locked() as store:
            running = [store.records[id] for id in store.running]
            expired = [r for r in running if r.lease_until is not None and r.lease_until <= now][:limit]
        with self._locked() as store:
            rescued = [transitions.rescued(store.records.get(record.id, record), now) for record in expired]
            for record in rescued:
                store.put(record)
        return rescued


class SettlesLater(MemoryBackend):
    """A settle asks whether the claim is current, lets go, and then ends the attempt."""

    def settle(self, outcomes: Sequence[Outcome], *, now: Any = None) -> Sequence[bool]:
        held = [self._hold(outcome.claim) for outcome in outcomes]
        with self._locked() as store:
            for outcome, record in zip(outcomes, held, strict=True):
                if record is not None:
                    store.put(transitions.settled(record, outcome, now))
        return [record is not None for record in held]

    def _hold(self, claim: Claim) -> Record | None:
        record = self.get([claim.id]).get(claim.id)
        return record if record and record.state is State.RUNNING and record.attempt == claim.attempt else None


class ChecksKeysFirst(MemoryBackend):
    """An insert looks for the holder of its key, lets go, and stores."""

    def insert(self, records: Sequence[NewRecord], *, transaction: Any = None, now: Any = None) -> Any:
        answers = [self._met(record) for record in records]
        with self._locked() as store:
            for n, new in enumerate(records):
                if answers[n] is None:
                    store.put(transitions.inserted(new, now))
                    answers[n] = Inserted(store.records[new.id], created=True)
        return answers

    def _met(self, new: NewRecord) -> Inserted | None:
        with self._locked() as store:
            met = store.records.get(new.id) or store.holder(new.unique_key)
        return None if met is None else Inserted(met, created=False)


class ForgetsCancels(MemoryBackend):
    """A cancel writes the record that it had read."""

    def cancel(self, filter: Filter, *, limit: int, now: Any = None) -> Any:
        found = self.list(filter, limit=limit)
        changes = [(record, transitions.cancelled(record, now)) for record in found]
        with self._locked() as store:
            for record, change in changes:
                if change is not None and store.records[record.id].state is record.state:
                    store.put(change)
        return [record.id for record, change in changes if change is not None]


class DeletesLater(MemoryBackend):
    """A delete removes by id what it had found."""

    def delete(self, filter: Filter, *, limit: int) -> Any:
        found = [record for record in self.list(filter, limit=limit) if record.state is not State.RUNNING]
        with self._locked() as store:
            for record in found:
                if record.id in store.records:
                    store.remove(store.records[record.id])
        return [record.id for record in found]


class ReadsPausesFirst(MemoryBackend):
    """A claim asks which queues are paused once, when the client was opened or last found something."""

    _paused: Any = None

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        if self._paused is None:
            self._paused = {queue.name for queue in self.queues() if queue.paused}
        with self._locked() as store:
            before = set(store.paused)
            store.paused = set(self._paused)
            claimed = super().claim(queues, limit=limit, worker=worker, lease=lease, now=now)
            store.paused = before
        self._paused = None if len(claimed) < limit else self._paused
        return claimed


class TakesTheSelected(SqliteBackend):
    """A claim selects in one transaction and updates in the next, by id."""

    def claim(self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: Any = None) -> Any:
        found = self.list(Filter(queues=queues, states=list(CLAIMABLE)), limit=limit)
        due = [transitions.claimed(record, worker, now + lease, now) for record in found if record.run_at <= now]
        parameters = [
            {"id": r.id.bytes, "until": _micros(r.lease_until), "now": _micros(now), "worker": worker} for r in due
        ]
        with self._writer.writing() as connection:
            connection.executemany(
                "UPDATE windlass_jobs SET state = 'running', attempt = attempt + 1, lease_until = :until, "
                "worker = :worker, attempted_at = :now, updated_at = :now WHERE id = :id",
                parameters,
            )
        return due


class CommitsEach(SqliteBackend):
    """An insert commits each of its records by itself."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Any:
        return [answer for record in records for answer in super(CommitsEach, self).insert([record], **options)]


class AnswersFirst(SqliteBackend):
    """A settle answers, and writes with the next call."""

    _late: Sequence[Outcome] = ()

    def settle(self, outcomes: Sequence[Outcome], *, now: datetime | None = None) -> Sequence[bool]:
        super().settle(self._late, now=now)
        self._late = [outcome for outcome in outcomes if isinstance(outcome, Complete)]
        rest = iter(super().settle([o for o in outcomes if not isinstance(o, Complete)], now=now))
        return [isinstance(outcome, Complete) or next(rest) for outcome in outcomes]


class RescuesInTwoSteps(SqliteBackend):
    """A rescue takes the leases away in one transaction, and what has none back in the next."""

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        with self._writer.writing() as connection:
            connection.execute(
                "UPDATE windlass_jobs SET lease_until = 0 WHERE state = 'running' AND lease_until <= ?", [_micros(now)]
            )
        return super().rescue(limit=limit, now=now)


class LocksAndUnlocks(SqliteBackend):
    """A claim pauses its queues while it works, so that nobody else claims."""

    def claim(self, queues: Sequence[str], **options: Any) -> Any:
        paused = {queue.name for queue in self.queues() if queue.paused}
        for queue in queues:
            with self._writer.writing() as connection:
                connection.execute(queries.PAUSE, {"queue": queue})
        for queue in set(queues) - paused:
            self.resume(queue)
        return super().claim(queues, **options)


class SetsUpOnce(SqliteBackend):
    """A setup does not expect that another has begun: it makes a mark beside the file first, and refuses with one."""

    def setup(self) -> None:
        mark = self._location.path.with_suffix(".making")
        mark.touch(exist_ok=False)
        super().setup()
        mark.unlink()


def _micros(moment: datetime | None) -> int:
    assert moment is not None
    return micros(moment)
