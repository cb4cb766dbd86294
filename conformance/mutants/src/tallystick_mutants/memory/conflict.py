"""Bugs in inserts whose unique key another job holds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tallystick import Inserted, NewRecord, Record
from tallystick.backends import keys
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class MeetsStoredJobsOnly(MemoryBackend):
    """A record does not change an earlier record of the same batch."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        seen: set[str | None] = set()
        batch = []
        for new in records:
            again = new.unique_key in seen
            batch.append(replace(new, on_conflict="skip", debounce_max=None) if again else new)
            seen.add(new.unique_key)
        return super().insert(batch, **options)


class ShowsTheLastStep(MemoryBackend):
    """Each result of a batch shows its record as the whole batch left it."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        stored = self.get([answer.record.id for answer in answers])
        return [answer._replace(record=stored[answer.record.id]._replace(errors=())) for answer in answers]


class ReplacesInTwoSteps(MemoryBackend):
    """A replace reads the holder in one step, and stores the changed record in another."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        assert now is not None
        answers = []
        for new in records:
            found = super().insert([_skipping(new)], now=now, **options)[0]
            if not found.created and found.record.id != new.id:
                found = keys.met(found.record, new, new.stored(now).run_at, now)
            if found.applied is not None:
                self._store_in_steps(found.record)
            answers.append(found)
        return answers

    def _store_in_steps(self, record: Record) -> None:
        with self._locked() as store:
            store.put(record)


class TearsReplaces(ReplacesInTwoSteps):
    """A replace stores the payload in one step, and tags and meta in another."""

    def _store_in_steps(self, record: Record) -> None:
        with self._locked() as store:
            store.put(store.records[record.id]._replace(payload=record.payload))
        with self._locked() as store:
            store.put(store.records[record.id]._replace(tags=record.tags, meta=record.meta))


def _skipping(new: NewRecord) -> NewRecord:
    return replace(new, on_conflict="skip", debounce_max=None)


_MET = "backend.keys.met"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.edited("never replaces", "CONFLICT-01", _MET, "applied=new.on_conflict", "applied=None"),
    MEMORY.edited("replaces the payload only", "CONFLICT-01", _MET, "tags=new.tags, meta=new.meta, ", ""),
    MEMORY.edited("replaces the priority", "CONFLICT-01", _MET, "(payload=", "(priority=new.priority, payload="),
    MEMORY.edited("debounces without a maximum", "CONFLICT-02", _MET, "min(run_at, latest)", "run_at"),
    MEMORY.edited("debounces from now", "CONFLICT-02", _MET, "_later(holder.created_at", "_later(now"),
    MEMORY.edited(
        "debounces to later only", "CONFLICT-02", _MET, "min(run_at, latest)", "max(holder.run_at, min(run_at, latest))"
    ),
    MEMORY.edited("replaces a running job", "CONFLICT-03", _MET, "holder.state not in CLAIMABLE", "holder.finished_at"),
    MEMORY.edited("replaces another kind", "CONFLICT-03", _MET, " or holder.kind != new.kind", ""),
    MEMORY.edited(
        "replaces by id", "CONFLICT-04", "backend.MemoryBackend._insert_or_meet", " or result.record.id == new.id", ""
    ),
    MEMORY.mutant("replaces stored jobs only", "CONFLICT-05", MeetsStoredJobsOnly),
    MEMORY.mutant("shows the last step of a batch", "CONFLICT-05", ShowsTheLastStep),
    MEMORY.mutant("tears replaces", "RACE-19", TearsReplaces),
    MEMORY.mutant("replaces what was claimed", "RACE-20", ReplacesInTwoSteps),
    MEMORY.mutant("replaces in two steps", "SCHED-09", ReplacesInTwoSteps),
)
