"""Bugs in stored records: values that the caller shares, and partial batches."""

from collections.abc import Sequence
from uuid import UUID

from tallystick import Inserted, Record, State, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now


class ResetsHolder(MemoryBackend):
    """A duplicate sets the running job that holds the key back to pending."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        answer = super()._insert(store, record)
        if not answer.created and answer.record.state == "running":
            store.put(answer.record._replace(state=State.PENDING, lease_until=None))
        return answer


class LendsItsOwn(MemoryBackend):
    """get returns the store's own dict if it contains exactly the requested records."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        found = super().get(ids)
        return self._store.records if found.keys() == self._store.records.keys() else found


class GoesOnCounting(MemoryBackend):
    """The counts by kind are one shared dict, which the next call changes."""

    def stats(self, *, now: Now = None) -> Stats:
        stats = super().stats(now=now)
        living: dict[str, int] = vars(self._store).setdefault("_by_kind", {})
        living.clear()
        living.update(stats.by_kind)
        return stats._replace(by_kind=living)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("resets the holder", "RECORD-01", ResetsHolder, "F4"),
    MEMORY.mutant("lends its own", "RECORD-02", LendsItsOwn),
    MEMORY.mutant("goes on counting", "RECORD-02", GoesOnCounting),
)
