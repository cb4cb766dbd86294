"""Bugs in inserts: bytes stored as text, split batches, and keys checked in an earlier statement."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from tallystick import Inserted, NewRecord
from tallystick.backends import calls
from tallystick_conformance import Mutant
from tallystick_postgres import inserting
from tallystick_postgres.capabilities import CAPABILITIES
from tallystick_postgres.execute import Execute, on

from ..patch import MIGRATION, POSTGRES
from .base import Broken

broken, mutant, patch, patched, put = POSTGRES.broken, POSTGRES.mutant, POSTGRES.patch, POSTGRES.patched, POSTGRES.put

_CHUNK = 2
_AS_TEXT = "convert_to(convert_from({}, 'UTF8'), 'UTF8')"
_PAYLOAD = "coalesce(payload, %(payload)s::bytea)"
_VALUE = "%(payload)s::bytea"
_MOST_PARAMETERS = 65_535


class CommitsInChunks(Broken):
    """A batch is stored in chunks, with a transaction for each."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        if transaction is not None or len(records) <= _CHUNK:
            return super().insert(records, transaction=transaction, now=now)
        head, rest = records[:_CHUNK], records[_CHUNK:]
        return [*super().insert(head, now=now), *self.insert(rest, now=now)]


class LooksForKeysFirst(Broken):
    """One statement checks a key, and another stores the job, without a unique index."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        if transaction is not None or len(records) != 1 or records[0].unique_key is None:
            return super().insert(records, transaction=transaction, now=now)
        keys = [new.unique_key for new in records]
        found = self._run(self._queries.duplicates, {"ids": [new.id for new in records], "keys": keys, "now": now})
        if found:
            [holder] = self.get([found[0][0]]).values()
            return [Inserted(holder, created=False)]
        return super().insert(records, now=now)


class TrustsWhatMayRollBack(Broken):
    """A key of another, uncommitted transaction counts as a duplicate, although that one may roll back."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        if transaction is not None or len(records) != 1 or records[0].unique_key is None:
            return super().insert(records, transaction=transaction, now=now)
        return self._stored_unless_taken(calls.insert(records, CAPABILITIES, now=now))

    def _stored_unless_taken(self, call: calls.InsertCall) -> Sequence[Inserted]:
        def store(cursor: Any) -> Sequence[Inserted]:
            cursor.execute("SET LOCAL lock_timeout = '20ms'")
            return inserting.insert(on(cursor), self._queries, call)

        try:
            return self._connections.transact(store)
        except Exception as exc:
            if "lock timeout" not in str(exc):
                raise
            return [Inserted(record, created=False) for record in call.stored()]


class BindsEachValue(Broken):
    """A batch is one VALUES list with one parameter per value, but the protocol allows only 65,535."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        values = [value for new in records for value in (new.id, new.kind, new.queue, new.payload, *[None] * 7)]
        if len(values) > _MOST_PARAMETERS:
            parameters = {f"v{n}": value for n, value in enumerate(values)}
            self._run(f"SELECT {', '.join(f'%({name})s' for name in parameters)}", parameters)
        return super().insert(records, transaction=transaction, now=now)


def _sorted(original: Callable[..., Sequence[Inserted]]) -> Callable[..., Sequence[Inserted]]:
    def insert(execute: Execute, *given: Any) -> Sequence[Inserted]:
        answers = original(_reversed(execute), *given)
        return sorted(answers, key=lambda answer: answer.record.id)

    return insert


def _reversed(execute: Execute) -> Execute:
    def run(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return execute(query, parameters)[::-1]

    return run


MUTANTS: tuple[Mutant, ...] = (
    broken("keeps payloads as text", "PAYLOAD-01",
           "A payload is stored as text, so the server rejects NUL and invalid UTF-8.", "C1",
           patch("insert_batch", _PAYLOAD, _AS_TEXT.format(_PAYLOAD)),
           patch("insert_one", _VALUE, _AS_TEXT.format(_VALUE))),
    patched("keeps results as text", "PAYLOAD-02", "settle", "THEN ended.result ELSE",
            "THEN convert_to(convert_from(ended.result, 'UTF8'), 'UTF8') ELSE", "C2",
            "A result is stored as text, so the server rejects NUL, and the job stays running."),
    patched("keeps errors as jsonb", "PAYLOAD-05", "settle", "coalesce(ended.error,",
            "coalesce(ended.error::jsonb::text,", "C2", "An error is stored as JSONB, so the server rejects NUL."),
    mutant("commits in chunks", "CRASH-02", CommitsInChunks, "H2"),
    mutant("binds each value", "BATCH-02", BindsEachValue, "H1"),
    broken("answers in the order of storing", "INSERT-03",
           "The results of a batch are in the order of the returned rows, not of the records.", "H4",
           put("inserting.insert", _sorted)),
    mutant("looks for keys first", "SCHED-04", LooksForKeysFirst, "F1",
           patch(MIGRATION, "CREATE UNIQUE INDEX jobs_held_keys", "CREATE INDEX jobs_held_keys")),
    mutant("trusts what may roll back", "CAP-03", TrustsWhatMayRollBack, "F2"),
)  # fmt: skip
