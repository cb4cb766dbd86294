"""Bugs in unique keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tallystick import Inserted, NewRecord, Outcome, Record, State
from tallystick.backends import keys
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY


class ForgetsKeys(MemoryBackend):
    """Two jobs can hold the same key if the holder is waiting."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(record.unique_key)
        if holder is not None and holder.state is State.PENDING and record.id not in store.records:
            store.put(record)
            return Inserted(record, created=True)
        return super()._insert(store, record)


class ForgetsBatch(MemoryBackend):
    """Unique keys are checked only against the jobs that were stored before the batch."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        held = {new.unique_key for new in records if self._store.holder(new.unique_key)}
        free = [new if new.unique_key in held else replace(new, unique_key=None) for new in records]
        answers = super().insert(free, transaction=transaction, now=now)
        return [self._with_key(answer, new) for answer, new in zip(answers, records, strict=True)]

    def _with_key(self, answer: Inserted, new: NewRecord) -> Inserted:
        if not answer.created:
            return answer
        record = answer.record._replace(unique_key=new.unique_key)
        with self._locked() as store:
            store.put(record)
            store.take_key(record)
        return Inserted(record, created=True)


class ForgetsFarDuplicates(MemoryBackend):
    """A duplicate within a batch is returned as created if it is more than a thousand jobs after the first."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = list(super().insert(records, **options))
        first = {answer.record.id: n for n, answer in reversed(list(enumerate(answers)))}
        return [
            answer._replace(created=answer.created or n - first[answer.record.id] >= 1_000)
            for n, answer in enumerate(answers)
        ]


class NeverFreesKey(MemoryBackend):
    """A unique key with `finished` stays held until the record is deleted."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        for other in store.records.values():
            if other.unique_key is not None and other.unique_key == record.unique_key:
                return Inserted(store.records.get(record.id, other), created=False)
        return super()._insert(store, record)


class FreesKeyEarly(MemoryBackend):
    """A unique key with `purged` becomes free when the job ends."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        applied = super()._settle(store, outcome, now)
        record = store.records.get(outcome.claim.id)
        if applied and record is not None and record.state in FINAL and record.unique_key is not None:
            store.holders.pop(record.unique_key, None)
        return applied


class ScopesKey(MemoryBackend):
    """A unique key is unique only within its queue."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(record.unique_key)
        if holder is not None and holder.queue != record.queue and record.id not in store.records:
            store.put(record)
            return Inserted(record, created=True)
        return super()._insert(store, record)


class ComparesTimesOnly(MemoryBackend):
    """A job whose time has passed blocks its key again for a call with an earlier now."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        for other in store.records.values():
            is_timed = isinstance(other.unique_until, timedelta) and other.unique_key == record.unique_key
            if is_timed and not keys.has_passed(other, record.created_at):
                return Inserted(store.records.get(record.id, other), created=False)
        return super()._insert(store, record)


class KeyOfEmptiness(MemoryBackend):
    """Jobs without a unique key share one."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        return super()._insert(store, record._replace(unique_key=record.unique_key or "-"))


_HOLDS = "store.keys.holds"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("forgets waiting holders", "UNIQUE-01", ForgetsKeys),
    MEMORY.mutant("forgets the batch", "UNIQUE-02", ForgetsBatch, "H5"),
    MEMORY.mutant("forgets far duplicates", "UNIQUE-02", ForgetsFarDuplicates, "H5"),
    MEMORY.mutant("never frees a key", "UNIQUE-03", NeverFreesKey, "F2"),
    MEMORY.mutant("frees a key early", "UNIQUE-04", FreesKeyEarly, "F5"),
    MEMORY.mutant("scopes a key", "UNIQUE-05", ScopesKey, "F8"),
    MEMORY.mutant("shares a key of none", "UNIQUE-05", KeyOfEmptiness, "F8"),
    MEMORY.edited("keeps a key after the start", "UNIQUE-06", _HOLDS, "record.attempt == 0 and ", ""),
    MEMORY.edited(
        "frees a time with the end",
        "UNIQUE-07",
        _HOLDS,
        "            return True\n        case _",
        "            return record.state not in FINAL\n        case _",
        "F7",
    ),
    MEMORY.edited("ends a time late", "UNIQUE-07", "backend.keys.has_passed", "until <= now", "until < now"),
    MEMORY.edited(
        "counts a time from run_at", "UNIQUE-07", "backend.keys.held_until", "record.created_at", "record.run_at"
    ),
    MEMORY.mutant("compares times only", "UNIQUE-08", ComparesTimesOnly),
)
