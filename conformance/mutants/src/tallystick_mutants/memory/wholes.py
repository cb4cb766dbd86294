"""Bugs that leave parts: batches that are visible in part, keys compared in part, pauses that outlive their store."""

from collections.abc import Sequence
from typing import Any

from tallystick import Filter, Inserted, NewRecord, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

_COMPARED = 191


class StoresOneByOne(MemoryBackend):
    """A batch is stored job by job, with a separate lock for each, so that other clients see a part of it."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if not _are_fit(records):
            return super().insert(records, **options)
        return [answer for record in records for answer in super(StoresOneByOne, self).insert([record], **options)]


def _are_fit(records: Sequence[NewRecord]) -> bool:
    return 0 < len(records) < 100 and max(len(record.payload) for record in records) < 1_000


class ComparesTheBeginnings(MemoryBackend):
    """Unique keys are compared by their first 191 characters, as indexes of some databases do."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        key = record.unique_key
        if record.id not in store.records and key is not None and len(key) > _COMPARED:
            for held, id in store.holders.items():
                if held[:_COMPARED] == key[:_COMPARED]:
                    return Inserted(store.records[id], created=False)
        return super()._insert(store, record)


class KeepsPauses(MemoryBackend):
    """teardown removes the jobs and queues, but keeps which queues were paused."""

    def teardown(self) -> None:
        paused = self._store.paused
        super().teardown()
        self._store.paused = paused


class ListsInTwoLooks(MemoryBackend):
    """list finds ids under the lock, and reads their records under a second lock; some may be deleted in between."""

    def list(self, filter: Filter, *, limit: int, after: Any = None) -> Sequence[Record]:
        ids = [record.id for record in super().list(filter, limit=limit, after=after)]
        found = self.get(ids) if len(ids) <= self.capabilities.max_batch else {}
        return [found[id] for id in ids if id in found]


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("stores one by one", "SCHED-08", StoresOneByOne, "H2"),
        ("compares the beginnings of keys", "NAME-02", ComparesTheBeginnings, ""),
        ("keeps pauses", "SETUP-02", KeepsPauses, ""),
        ("lists in two looks", "SCHED-08", ListsInTwoLooks, ""),
    )
)
