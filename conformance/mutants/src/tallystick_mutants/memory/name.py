"""Bugs in names: kept or compared inexactly."""

from unicodedata import normalize

from tallystick import Inserted, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Stores

_COMPARED = 191


class SortsTags(Stores):
    """Tags are sorted alphabetically."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(tags=tuple(sorted(record.tags)))


class ComposesKeys(MemoryBackend):
    """A unique key also conflicts with its composed Unicode form."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(normalize("NFC", record.unique_key)) if record.unique_key else None
        return super()._insert(store, record) if holder is None else Inserted(holder, created=False)


class ComparesTheBeginnings(MemoryBackend):
    """Unique keys are compared by their first 191 characters, as indexes of some databases do."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        key = record.unique_key
        if record.id not in store.records and key is not None and len(key) > _COMPARED:
            for held, id in store.holders.items():
                if held[:_COMPARED] == key[:_COMPARED]:
                    return Inserted(store.records[id], created=False)
        return super()._insert(store, record)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("sorts tags", "NAME-01", SortsTags),
    MEMORY.mutant("composes keys", "NAME-02", ComposesKeys, "F8"),
    MEMORY.mutant("compares the beginnings of keys", "NAME-02", ComparesTheBeginnings),
)
