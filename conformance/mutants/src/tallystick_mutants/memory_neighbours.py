"""Bugs that affect neighbours: other stores, other clients, other threads, or other jobs with the same key."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from time import monotonic
from typing import Any
from uuid import UUID

from tallystick import FINAL, Filter, Inserted, NewRecord, Outcome, Record, State, validation
from tallystick.backends import transitions
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory import backend as memory

Now = datetime | None


class TearsDownByPrefix(MemoryBackend):
    """teardown empties every store with a name that begins with this store's name."""

    def teardown(self) -> None:
        super().teardown()
        for name, store in list(memory._stores.items()):  # noqa: SLF001 - mutants may use private names
            if name.startswith(self._name):
                store.clear()


class TearsDownByPattern(MemoryBackend):
    """teardown treats an underscore in the store's name as a wildcard for any character."""

    def teardown(self) -> None:
        super().teardown()
        pattern = re.compile(re.escape(self._name).replace("_", "."))
        for name, store in list(memory._stores.items()):  # noqa: SLF001 - mutants may use private names
            if pattern.fullmatch(name):
                store.clear()


class JoinsUnderscores(MemoryBackend):
    """Two underscores in a namespace are treated as one."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        url = super().namespaced(url, namespace)
        return url.replace("__", "_")


class TakesItsPausesAlong(MemoryBackend):
    """Closing a client resumes the queues that it paused."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._mine: set[str] = set()

    def pause(self, queue: str) -> None:
        super().pause(queue)
        self._mine.add(queue)

    def close(self) -> None:
        self._store.paused -= self._mine
        super().close()


class SharesAnswers(MemoryBackend):
    """The threads of a client share the list of an insert's results."""

    _answers: Any = ()

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._answers = []
        for answer in super().insert(records, **options):
            self._answers.append(answer)
        return list(self._answers[: len(records)])


class SharesTheMoment(MemoryBackend):
    """The threads of a client share the `now` of a settle."""

    _moment: Now = None

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._moment = now
        validation.within(len(outcomes), 0, self.capabilities.max_batch, "the number of outcomes")
        return super().settle(outcomes, now=self._moment)


class RemembersThatNothingWasDue(MemoryBackend):
    """A client whose claim found no job repeats it only after a change of its own, or with another now."""

    _empty: Any = None

    def claim(self, queues: Sequence[str], *, now: Now = None, **options: Any) -> Sequence[Record]:
        asked = (tuple(queues), now)
        if now is not None and self._empty == asked:
            with self._locked():
                return []
        claimed = super().claim(queues, now=now, **options)
        self._empty = None if claimed else asked
        return claimed

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._empty = None
        return super().insert(records, **options)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._empty = None
        return super().settle(outcomes, transaction=transaction, now=now)

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        self._empty = None
        return super().rescue(limit=limit, now=now)

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        self._empty = None
        return super().requeue(filter, limit=limit, now=now)

    def resume(self, queue: str) -> None:
        self._empty = None
        super().resume(queue)


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
                    changed.append(again.id)
            store.changed.notify_all()
            return changed


class WaitsBesideThePaused(MemoryBackend):
    """wait finds no job if one of its queues is paused."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait([] if self._store.paused.intersection(queues) else queues, timeout=timeout)


class WaitsForTheNew(MemoryBackend):
    """wait ignores retrying jobs."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        with self._without_retries():
            due = super().wait(queues, timeout=timedelta(0))
        return due or super().wait([], timeout=timeout)

    @contextmanager
    def _without_retries(self) -> Iterator[None]:
        with self._locked() as store:
            hidden = {record.id: record for record in store.records.values() if record.state is State.RETRYING}
            store.records.update({id: record._replace(state=State.DISCARDED) for id, record in hidden.items()})
            yield
            for record in hidden.values():
                store.put(record)


class WakesForTheRunning(MemoryBackend):
    """wait returns True while a job runs."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        with self._locked() as store:
            runs = any(store.records[id].queue in queues for id in store.running)
        return super().wait(queues, timeout=timeout) or runs


class WaitsWholeSeconds(MemoryBackend):
    """wait rounds its timeout up to whole seconds."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues, timeout=timedelta(seconds=ceil(timeout.total_seconds())))


class LooksLate(MemoryBackend):
    """wait first checks for jobs after two seconds."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        first = min(timeout, timedelta(seconds=2))
        end = monotonic() + first.total_seconds()
        with self._locked() as store:
            while not self._lifetime.has_ended and monotonic() < end:
                store.changed.wait(max(0.0, end - monotonic()))
        return not self._lifetime.has_ended and super().wait(queues, timeout=timeout - first)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("tears down by prefix", "SETUP-03", TearsDownByPrefix, "L4"),
        ("tears down by pattern", "SETUP-03", TearsDownByPattern, "L5"),
        ("joins underscores", "SETUP-03", JoinsUnderscores, "L4"),
        ("takes its pauses along", "CLOSE-03", TakesItsPausesAlong, ""),
        ("shares answers", "RACE-02", SharesAnswers, ""),
        ("shares the moment", "RACE-02", SharesTheMoment, ""),
        ("remembers that nothing was due", "CLAIM-07", RemembersThatNothingWasDue, ""),
        ("requeues over the ended", "REQUEUE-04", RequeuesOverTheEnded, "F1"),
        ("waits beside the paused", "WAIT-02", WaitsBesideThePaused, ""),
        ("waits for the new", "WAIT-02", WaitsForTheNew, ""),
        ("wakes for the running", "WAIT-01", WakesForTheRunning, "M2"),
        ("waits whole seconds", "WAIT-01", WaitsWholeSeconds, ""),
        ("looks late", "WAIT-02", LooksLate, ""),
    )
)
