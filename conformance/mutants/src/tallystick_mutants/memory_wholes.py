"""Bugs of what is whole, and what is gone: batches that are seen in part, ends of names, pauses without a store."""

from collections.abc import Sequence
from typing import Any

from tallystick import Filter, Inserted, NewRecord, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

_COMPARED = 191


class StoresOneByOne(MemoryBackend):
    """A batch that could be stored is stored job by job, each under the lock by itself, and others see a part of it."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if not _are_fit(records):
            return super().insert(records, **options)
        return [answer for record in records for answer in super(StoresOneByOne, self).insert([record], **options)]


def _are_fit(records: Sequence[NewRecord]) -> bool:
    return 0 < len(records) < 100 and max(len(record.payload) for record in records) < 1_000


class ComparesTheBeginnings(MemoryBackend):
    """Unique keys are compared by their first 191 characters, as some databases' indexes do."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        key = record.unique_key
        if record.id not in store.records and key is not None and len(key) > _COMPARED:
            for held, id in store.holders.items():
                if held[:_COMPARED] == key[:_COMPARED]:
                    return Inserted(store.records[id], created=False)
        return super()._insert(store, record)


class KeepsPauses(MemoryBackend):
    """Teardown forgets the jobs and the queues, and not which of these were paused."""

    def teardown(self) -> None:
        paused = self._store.paused
        super().teardown()
        self._store.paused = paused


class ListsInTwoLooks(MemoryBackend):
    """The ids of a page are found under the lock, and their records under the lock again: one may be gone by then."""

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
