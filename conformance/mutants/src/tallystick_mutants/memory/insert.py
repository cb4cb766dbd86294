"""Bugs in inserts: fields, results, and ids that are stored or were removed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import Filter, Inserted, NewRecord, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now, Remembers


class ForgetsTheTagsOfMany(MemoryBackend):
    """Tags are lost from the 120th job of a batch on."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        few = [replace(new, tags=()) if 120 <= n < 1_000 else new for n, new in enumerate(records)]
        return super().insert(few if len(few) < 1_000 else records, **options)


class DelaysFromMidnight(MemoryBackend):
    """A delay counts from the start of now's second."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        if now is not None and now.tzinfo is not None:
            records = [self._from(new, now.replace(second=0, microsecond=0)) for new in records]
        return super().insert(records, now=now, **options)

    def _from(self, new: NewRecord, start: datetime) -> NewRecord:
        short = isinstance(new.run_at, timedelta) and new.run_at < timedelta(days=1_000)
        return replace(new, run_at=start + new.run_at) if short else new  # type: ignore[operator]


class AnswersSorted(MemoryBackend):
    """The results of an insert are sorted by id."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return sorted(super().insert(records, **options), key=lambda answer: answer.record.id)


class AnswersCreatedOnly(MemoryBackend):
    """The results of an insert omit duplicates."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return [answer for answer in super().insert(records, **options) if answer.created]


class AnswersWithGiven(MemoryBackend):
    """The result for a duplicate is the new record, not the existing one."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        return [
            answer if answer.created else answer._replace(record=answer.record._replace(payload=new.payload))
            for answer, new in zip(answers, records, strict=True)
        ]


class RemembersIds(MemoryBackend):
    """An insert with the id of a deleted job returns that job, and does not store the new one."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        stored: dict[UUID, Record] = vars(self).setdefault("_stored", {})
        if record.id in stored and record.id not in store.records:
            return Inserted(stored[record.id], created=False)
        return super()._insert(store, stored.setdefault(record.id, record))

    def teardown(self) -> None:
        vars(self).pop("_stored", None)
        super().teardown()


class RefusesPurgedIds(Remembers):
    """An insert treats the id of a purged or deleted job as stored."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        if record.id in self._removed:
            return Inserted(self._removed[record.id], created=False)
        return super()._insert(store, record)


class CountsAttemptsOn(Remembers):
    """A new job continues the attempt count of a deleted job with the same id."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        old = self._removed.get(record.id)
        return super()._insert(store, record if old is None else record._replace(attempt=old.attempt))


class KeepsTagsOfTheRemoved(Remembers):
    """A filter by tags matches a job by the tags of a deleted job with the same id."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        found = super().list(filter, limit=limit, after=after, **options)
        tags = set(filter.tags or ())
        ghosts = [id for id, record in self._removed.items() if tags & set(record.tags) and id in self._store.records]
        return found or [self._store.records[id] for id in ghosts[:limit]]


class RestoresRepeated(MemoryBackend):
    """A repeated insert makes a finished job wait again."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        known = store.records.get(record.id)
        if known is not None and known.finished_at is not None:
            store.put(record)
            return Inserted(record, created=False)
        return super()._insert(store, record)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("forgets the tags of many", "INSERT-01", ForgetsTheTagsOfMany),
    MEMORY.mutant("delays from the minute", "INSERT-02", DelaysFromMidnight),
    MEMORY.mutant("answers sorted", "INSERT-03", AnswersSorted, "H4"),
    MEMORY.mutant("answers the created only", "INSERT-03", AnswersCreatedOnly, "H4"),
    MEMORY.mutant("answers with what was given", "INSERT-03", AnswersWithGiven, "K2"),
    MEMORY.mutant("remembers ids", "INSERT-04", RemembersIds),
    MEMORY.mutant("refuses purged ids", "INSERT-04", RefusesPurgedIds),
    MEMORY.mutant("counts the attempts of the removed on", "INSERT-04", CountsAttemptsOn),
    MEMORY.mutant("keeps the tags of the removed", "INSERT-04", KeepsTagsOfTheRemoved),
    MEMORY.mutant("restores the repeated", "INSERT-05", RestoresRepeated),
)
