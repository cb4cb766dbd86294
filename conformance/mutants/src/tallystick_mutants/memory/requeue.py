"""Bugs in requeue: fields, attempts, keys and the limit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tallystick import Filter, State, validation
from tallystick.backends import transitions
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import LimitsFirst, Now


class KeepsFinishedAt(MemoryBackend):
    """A requeued job keeps its finished_at."""

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        with self._locked() as store:
            finished = {record.id: record.finished_at for record in store.records.values()}
        changed = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                store.records[id] = store.records[id]._replace(finished_at=finished[id])
        return changed


class RequeuesWithoutAttempt(MemoryBackend):
    """A requeued job that has used all its attempts gets no further one."""

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        with self._locked() as store:
            most = {record.id: record.max_attempts for record in store.records.values()}
        changed = super().requeue(filter, limit=limit, now=now)
        with self._locked() as store:
            for id in changed:
                store.put(store.records[id]._replace(max_attempts=most[id]))
        return changed


class RequeuesPending(MemoryBackend):
    """requeue makes pending jobs due now."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        changed = list(super().requeue(filter, limit=limit, now=now))
        with self._locked() as store:
            for record in list(store.records.values()):
                new = record.state is State.PENDING and record.id not in changed and filter.fits(record)
                if new and len(changed) < limit and now is not None:
                    store.put(record._replace(run_at=now, updated_at=now))
                    changed.append(record.id)
        return changed


class RequeuesOverTheEnded(MemoryBackend):
    """A requeue takes a unique key from a finished job that holds it until it is purged."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        validation.limit(limit)
        moment = datetime.now(UTC) if now is None else validation.utc(now)
        with self._locked() as store:
            changed: list[UUID] = []
            for record in [r for r in store.records.values() if filter.fits(r)]:
                holder = store.holder(record.unique_key)
                free = holder is None or holder.id == record.id or holder.state in FINAL
                again = transitions.requeued(record, moment) if free and len(changed) < limit else None
                if again is not None:
                    store.put(again)
                    store.take_key(again)
                    changed.append(again.id)
            store.changed.notify_all()
            return changed


class RequeuesFewer(LimitsFirst):
    """requeue counts records toward the limit that it cannot change."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().requeue(self._first(filter, limit), limit=limit, now=now)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("keeps finished_at", "REQUEUE-01", KeepsFinishedAt, "D13"),
    MEMORY.mutant("leaves no attempt", "REQUEUE-02", RequeuesWithoutAttempt, "D13"),
    MEMORY.mutant("requeues the pending", "REQUEUE-03", RequeuesPending),
    MEMORY.mutant("requeues over the ended", "REQUEUE-04", RequeuesOverTheEnded, "F1"),
    MEMORY.mutant("requeues fewer", "REQUEUE-05", RequeuesFewer),
    MEMORY.edited(
        "needs a key for every requeue", "REQUEUE-06", "backend._requeued", "keys.takes(changed, now)", "True"
    ),
)
