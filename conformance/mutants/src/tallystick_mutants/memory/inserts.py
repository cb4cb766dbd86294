"""Bugs in inserts: payloads, batches and unique keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallystick import FINAL, Complete, Inserted, NewRecord, Outcome, Record, State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store


class StripsNul(MemoryBackend):
    """NUL bytes are removed from the payload."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return super().insert([replace(new, payload=new.payload.replace(b"\0", b"")) for new in records], **options)


class CutsPayload(MemoryBackend):
    """A payload is cut at 64 KiB."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        super().insert(records[:0], **options)
        return super().insert([replace(new, payload=new.payload[: 1 << 16]) for new in records], **options)


class LosesEmptyResult(MemoryBackend):
    """An empty result is stored as None."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        return super().settle(
            [Complete(o.claim, o.result or None) if isinstance(o, Complete) else o for o in outcomes],
            transaction=transaction,
            now=now,
        )


class StoresPartly(MemoryBackend):
    """Each job of a batch is stored separately, so a rejected job leaves the earlier ones in the store."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return [super(StoresPartly, self).insert([new], **options)[0] for new in records]


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
        return Inserted(record, created=True)


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


class ResetsHolder(MemoryBackend):
    """A duplicate sets the running job that holds the key back to pending."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        answer = super()._insert(store, record)
        if not answer.created and answer.record.state == "running":
            store.put(answer.record._replace(state=State.PENDING, lease_until=None))
        return answer


class ChecksThenInserts(MemoryBackend):
    """One step checks the unique key, and another stores the job."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        answers = []
        for new in records:
            with self._locked() as store:
                holder = store.records.get(new.id) or store.holder(new.unique_key)
            if holder is not None:
                answers.append(Inserted(holder, created=False))
                continue
            answers += super().insert([replace(new, unique_key=None)], transaction=transaction, now=now)
            with self._locked() as store:
                answers[-1] = Inserted(answers[-1].record._replace(unique_key=new.unique_key), created=True)
                store.put(answers[-1].record)
        return answers


MUTANTS = (
    Mutant("strips NUL", "PAYLOAD-01", StripsNul, "NUL bytes are removed from the payload.", "C4"),
    Mutant("cuts the payload", "PAYLOAD-01", CutsPayload, "A payload is cut at 64 KiB.", "C13"),
    Mutant("loses an empty result", "PAYLOAD-02", LosesEmptyResult, "An empty result is stored as None.", "C10"),
    Mutant("stores partly", "BATCH-04", StoresPartly, "A rejected batch leaves its earlier jobs stored.", "H2"),
    Mutant("forgets the batch", "UNIQUE-02", ForgetsBatch, "Two jobs of one batch can have the same key.", "H5"),
    Mutant("never frees a key", "UNIQUE-03", NeverFreesKey, "The key of a finished job stays held.", "F2"),
    Mutant("frees a key early", "UNIQUE-04", FreesKeyEarly, "A key with `purged` is free when the job ends.", "F5"),
    Mutant("scopes a key", "UNIQUE-05", ScopesKey, "A unique key is unique only within its queue.", "F8"),
    Mutant("resets the holder", "RECORD-01", ResetsHolder, "A duplicate sets the running holder to pending.", "F4"),
    Mutant("checks, then inserts", "RACE-06", ChecksThenInserts, "Two steps check the key and store the job.", "F1"),
)
