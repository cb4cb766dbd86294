"""Bugs that appear when an id is used again after its job was deleted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from tallystick import Filter, Inserted, Outcome, Record, State
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

AnswerT = TypeVar("AnswerT")
Now = datetime | None


class _Remembers(MemoryBackend):
    """Keeps every deleted record."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._removed: dict[UUID, Record] = {}

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._removing(lambda: super(_Remembers, self).delete(filter, limit=limit))

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        return self._removing(lambda: super(_Remembers, self).purge(states, before=before, limit=limit))

    def _removing(self, remove: Callable[[], AnswerT]) -> AnswerT:
        before = dict(self._store.records)
        answer = remove()
        self._removed |= {id: record for id, record in before.items() if id not in self._store.records}
        return answer


class RefusesPurgedIds(_Remembers):
    """An insert treats the id of a purged or deleted job as stored."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        if record.id in self._removed:
            return Inserted(self._removed[record.id], created=False)
        return super()._insert(store, record)


class CountsAttemptsOn(_Remembers):
    """A new job continues the attempt count of a deleted job with the same id."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        old = self._removed.get(record.id)
        return super()._insert(store, record if old is None else record._replace(attempt=old.attempt))


class KeepsTagsOfTheRemoved(_Remembers):
    """A filter by tags matches a job by the tags of a deleted job with the same id."""

    def list(self, filter: Filter, *, limit: int, after: Any = None) -> Sequence[Record]:
        found = super().list(filter, limit=limit, after=after)
        tags = set(filter.tags or ())
        ghosts = [id for id, record in self._removed.items() if tags & set(record.tags) and id in self._store.records]
        return found or [self._store.records[id] for id in ghosts[:limit]]


class AnswersFromMemory(_Remembers):
    """get keeps returning a record that another client has deleted."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._seen: dict[UUID, Record] = {}

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        found = super().get(ids)
        old = {id: self._seen[id] for id in ids if id in self._seen and id not in found}
        self._seen |= found
        return {**old, **found}


class SettlesTheRemoved(_Remembers):
    """settle returns True for the claim of a deleted job."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        claims = {record.claim for record in self._removed.values()}
        return [one or outcome.claim in claims for one, outcome in zip(applied, outcomes, strict=True)]


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "")
    for name, clause, make in (
        ("refuses purged ids", "INSERT-04", RefusesPurgedIds),
        ("counts the attempts of the removed on", "INSERT-04", CountsAttemptsOn),
        ("keeps the tags of the removed", "INSERT-04", KeepsTagsOfTheRemoved),
        ("answers from memory", "SETUP-04", AnswersFromMemory),
        ("settles the removed", "SETTLE-06", SettlesTheRemoved),
    )
)
