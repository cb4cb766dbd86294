"""Base classes of mutants in several modules."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from tallystick import CLAIMABLE, Filter, Inserted, NewRecord, Record, State
from tallystick.backends import transitions
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

Now = datetime | None
AnswerT = TypeVar("AnswerT")

CACHED_SECONDS = 0.1
"""For how long a caching client keeps a result."""


class Chooses(MemoryBackend):
    """A claim that selects jobs with `_choice` and sorts them by `_key`."""

    def claim(
        self, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime | None = None
    ) -> Sequence[Record]:
        super().claim([], limit=limit, worker=worker, lease=lease, now=now)
        assert now is not None
        with self._locked() as store:
            found = [record for record in store.records.values() if self._choice(record, queues, now)]
            chosen = [
                transitions.claimed(record, worker, now + lease, now) for record in sorted(found, key=self._key)[:limit]
            ]
            for record in chosen:
                store.put(record)
        return chosen

    def _choice(self, record: Record, queues: Sequence[str], now: datetime) -> bool:
        paused = self._store.paused
        waits = record.state in CLAIMABLE and record.run_at <= now
        return waits and record.queue in queues and record.queue not in paused

    def _key(self, record: Record) -> Any:
        return (-record.priority, record.run_at, record.id.int)


class Inserts(MemoryBackend):
    """An insert that changes each new record."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        super().insert(records[:0], **options)
        return super().insert([self._changed(new) for new in records], **options)

    def _changed(self, new: NewRecord) -> NewRecord:
        raise NotImplementedError


class Stores(MemoryBackend):
    """A store that changes inserted records, although the insert returns the original ones."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        answer = super()._insert(store, record)
        if answer.created:
            store.put(self._spoiled(answer.record))
        return answer

    def _spoiled(self, record: Record) -> Record:
        raise NotImplementedError


class LimitsFirst(MemoryBackend):
    """The limit counts all matching records, including those that the call cannot change."""

    def _first(self, filter: Filter, limit: int) -> Filter:
        found = super().list(filter, limit=limit)
        return replace(filter, ids=[record.id for record in found])


class Remembers(MemoryBackend):
    """Keeps every deleted record."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._removed: dict[UUID, Record] = {}

    def delete(self, filter: Filter, *, limit: int) -> Sequence[UUID]:
        return self._removing(lambda: super(Remembers, self).delete(filter, limit=limit))

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        return self._removing(lambda: super(Remembers, self).purge(states, before=before, limit=limit, **options))

    def _removing(self, remove: Callable[[], AnswerT]) -> AnswerT:
        before = dict(self._store.records)
        answer = remove()
        self._removed |= {id: record for id, record in before.items() if id not in self._store.records}
        return answer


class Caches(MemoryBackend):
    """A client that keeps results for a tenth of a second."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._kept: dict[Any, tuple[float, Any]] = {}

    def _for_a_moment(self, key: Any, ask: Callable[[], Any], *, keep: bool = True) -> Any:
        until, answer = self._kept.get(key, (0.0, None))
        if monotonic() >= until:
            answer = ask()
            if keep or not answer:
                self._kept[key] = monotonic() + CACHED_SECONDS, answer
        return answer
