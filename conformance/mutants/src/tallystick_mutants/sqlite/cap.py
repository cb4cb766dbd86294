"""Bugs in steps and transactions on a file: split steps, the wrong transaction, and SQL without parameters."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from tallystick import LEASE_EXPIRED, Filter, Inserted, NewRecord, Outcome, Record, Retry, validation
from tallystick.backends.times import micros
from tallystick_sqlite import SqliteBackend, rows
from tallystick_sqlite.opening import connect

from ..patch import SQLITE

_PICK = """
    SELECT id FROM tallystick_jobs
    WHERE queue IN (SELECT value FROM json_each(?)) AND state IN ('pending', 'retrying') AND run_at <= ?
        AND queue NOT IN (SELECT name FROM tallystick_queues WHERE paused)
    ORDER BY priority DESC, run_at, id LIMIT ?
"""
_TAKE = """
    UPDATE tallystick_jobs SET state = 'running', attempt = attempt + 1, lease_until = ?, worker = ?, attempted_at = ?,
        updated_at = ? WHERE id = ?
"""
_EXPIRED = "SELECT id FROM tallystick_jobs WHERE state = 'running' AND lease_until <= ? LIMIT ?"
_TAKE_BACK = """
    UPDATE tallystick_jobs SET state = 'retrying', run_at = ?, updated_at = ?, lease_until = NULL, finished_at = NULL,
        last_error = ? WHERE id = ?
"""


class ClaimsInTwoSteps(SqliteBackend):
    """One transaction selects due jobs, and another updates them by id."""

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        if now is None or now.tzinfo is None:
            return super().claim(queues, limit=limit, worker=worker, lease=lease, now=now)
        until = validation.moment(validation.positive(lease, "lease"), now, "lease")
        asked = (rows.json_list(validation.names(queues, "queues")), micros(now), validation.limit(limit))
        validation.name(worker, "worker")
        ids = self._reader.read(_ids, _PICK, asked)

        def take(connection: sqlite3.Connection) -> list[Record]:
            for id in ids:
                connection.execute(_TAKE, (micros(until), worker, micros(now), micros(now), id))
            return [rows.record(connection.execute(self._queries.read, {"id": id}).fetchone()) for id in ids]

        return self._writer.write(take)


class LocksItsProcess(ClaimsInTwoSteps):
    """One transaction selects due jobs, and another updates them, under a lock that excludes only threads."""

    _lock = Lock()

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        with self._lock:
            return super().claim(queues, **options)


class RescuesFromASnapshot(SqliteBackend):
    """One transaction selects expired jobs, and another rescues them by id."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        if now is None or now.tzinfo is None:
            return super().rescue(limit=limit, now=now)
        ids = self._reader.read(_ids, _EXPIRED, (micros(now), validation.limit(limit)))

        def take_back(connection: sqlite3.Connection) -> list[Record]:
            for id in ids:
                connection.execute(_TAKE_BACK, (micros(now), micros(now), LEASE_EXPIRED.to_json(), id))
            return [rows.record(connection.execute(self._queries.read, {"id": id}).fetchone()) for id in ids]

        return self._writer.write(take_back)


def _ids(connection: sqlite3.Connection, statement: str, parameters: tuple[Any, ...]) -> list[bytes]:
    return [id for [id] in connection.execute(statement, parameters)]


class InsertsBeside(SqliteBackend):
    """An insert into a caller's transaction commits in its own transaction."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        if transaction is not None and hasattr(transaction, "commit"):
            answers = super().insert(records, transaction=transaction, now=now)
            transaction.commit()
            return answers
        return super().insert(records, transaction=transaction, now=now)


class AnswersOnly(SqliteBackend):
    """An insert into a caller's transaction returns results, but stores nothing."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        if transaction is not None:
            return [Inserted(record.stored(now or datetime.now().astimezone()), created=True) for record in records]
        return super().insert(records, now=now)


class SettlesBeside(SqliteBackend):
    """A settle in a caller's transaction commits in its own transaction."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        answers = super().settle(outcomes, transaction=transaction, now=now)
        if transaction is not None and hasattr(transaction, "execute"):
            transaction.execute("COMMIT")
            transaction.execute(self._queries.begin_write)
        return answers


class SettlesInWords(SqliteBackend):
    """A settle in a caller's transaction returns True, but stores nothing."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        if transaction is None:
            return super().settle(outcomes, now=now)
        records = self.get([outcome.claim.id for outcome in outcomes])
        return [records[outcome.claim.id].attempt == outcome.claim.attempt for outcome in outcomes]


class TrustsTheTransaction(SqliteBackend):
    """A settle in a caller's transaction does not reject stale claims."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        answers = super().settle(outcomes, transaction=transaction, now=now)
        return answers if transaction is None else [True for _ in answers]


class ForgetsFlagsInATransaction(SqliteBackend):
    """In a caller's transaction, a Retry reschedules a job whose cancellation was requested."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: Any | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        if transaction is not None:
            retried = [(outcome.claim.id.bytes,) for outcome in outcomes if isinstance(outcome, Retry)]
            transaction.executemany("UPDATE tallystick_jobs SET cancel_requested = FALSE WHERE id = ?", retried)
        return super().settle(outcomes, transaction=transaction, now=now)


class QuotesByHand(SqliteBackend):
    """A queue's name is inserted into the SQL text without quoting."""

    def pause(self, queue: str) -> None:
        super().pause(queue)
        name = queue.partition("'")[0]
        statement = f"UPDATE tallystick_queues SET paused = TRUE WHERE name LIKE '{name}%'"  # noqa: S608
        self._writer.write(sqlite3.Connection.execute, statement)


class SetsUpUnlocked(SqliteBackend):
    """setup checks for a store, and creates it in a second step."""

    def setup(self) -> None:
        self._lifetime.check()
        with closing(connect(self._location, "rwc")) as connection:
            names = {name for [name] in connection.execute("SELECT name FROM sqlite_master")}
        if "tallystick_jobs" in names:
            return
        super().setup()
        self.delete(Filter(), limit=1_000)


class CommitsEach(SqliteBackend):
    """Each job of a batch is committed separately."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        one: Callable[[NewRecord], Inserted] = lambda new: super(CommitsEach, self).insert(  # noqa: E731
            [new], transaction=transaction, now=now
        )[0]
        return [one(new) for new in records] if records else super().insert(records, transaction=transaction, now=now)


class DeletesOnClaim(SqliteBackend):
    """A claim deletes the job from the store, and settle inserts it again."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = super().claim(queues, **options)
        statement = "DELETE FROM tallystick_jobs WHERE id = ?"
        self._writer.write(sqlite3.Connection.executemany, statement, [(r.id.bytes,) for r in claimed])
        return claimed


class NeverExpires(SqliteBackend):
    """A job whose worker died is never rescued."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        return super().rescue(limit=limit, now=now)[:0] if now is None else []


MUTANTS = (
    SQLITE.mutant("claims in two steps", "SCHED-01", ClaimsInTwoSteps, "A8"),
    SQLITE.mutant("locks its own process", "RACE-10", LocksItsProcess, "A2"),
    SQLITE.mutant("rescues from a snapshot", "SCHED-02", RescuesFromASnapshot, "A7"),
    SQLITE.mutant("inserts beside the transaction", "CAP-03", InsertsBeside),
    SQLITE.mutant("answers in a transaction only", "CAP-02", AnswersOnly),
    SQLITE.mutant("settles beside the transaction", "CAP-09", SettlesBeside),
    SQLITE.mutant("settles in words only", "CAP-08", SettlesInWords),
    SQLITE.mutant("trusts the transaction", "CAP-10", TrustsTheTransaction),
    SQLITE.mutant("forgets flags in a transaction", "CAP-08", ForgetsFlagsInATransaction),
    SQLITE.mutant("quotes by hand", "NAME-03", QuotesByHand, "L5"),
    SQLITE.mutant("sets up unlocked", "SETUP-07", SetsUpUnlocked, "L1"),
    SQLITE.mutant("commits each job", "BATCH-04", CommitsEach, "H2"),
    SQLITE.mutant("deletes on claim", "RECORD-02", DeletesOnClaim, "N1"),
    SQLITE.mutant("never expires", "RESCUE-05", NeverExpires, "N5"),
)
