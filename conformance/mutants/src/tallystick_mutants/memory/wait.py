"""Bugs in waits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from time import monotonic, sleep
from typing import Any
from unittest.mock import patch

from tallystick import Inserted, NewRecord, State, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class WakesAtOnce(MemoryBackend):
    """wait returns at once, even if no job is due."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues, timeout=timedelta(0))


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


class WaitsInVain(MemoryBackend):
    """wait always lasts until its timeout."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        sleep(timeout.total_seconds())
        return super().wait(queues, timeout=timedelta(0))


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


class LooksLate(MemoryBackend):
    """wait first checks for jobs after two seconds."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        first = min(timeout, timedelta(seconds=2))
        end = monotonic() + first.total_seconds()
        with self._locked() as store:
            while not self._lifetime.has_ended and monotonic() < end:
                store.changed.wait(max(0.0, end - monotonic()))
        return not self._lifetime.has_ended and super().wait(queues, timeout=timeout - first)


class WaitsForInserts(MemoryBackend):
    """wait does not notice a job that is due or becomes due."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        names = validation.names(queues, "queues")
        with self._locked() as store:
            store.changed.wait(timeout.total_seconds())
        return super().wait(names, timeout=timedelta(0))


class WaitsForTheLatest(MemoryBackend):
    """A wait sleeps until the last of its queues has a due job, or until a change."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        end = monotonic() + timeout.total_seconds()
        while not (found := super().wait(queues, timeout=timedelta(0))) and (left := end - monotonic()) > 0:
            with self._locked() as store:
                heads = [store.lanes[name].next_due() for name in queues if name in store.lanes]
                latest = max((head for head in heads if head is not None), default=None)
                ahead = (latest - datetime.now(UTC)).total_seconds() if latest else left
                store.changed.wait(max(0.0, min(left, ahead)))
        return found


class WakesForPaused(MemoryBackend):
    """wait returns for paused queues too, so a worker never sleeps."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        stats = super().stats().by_queue
        return any(name in stats and stats[name].due for name in queues) or super().wait(queues, timeout=timeout)


class WakesForAnything(MemoryBackend):
    """wait returns True for a job of any queue."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        woken = super().wait(queues, timeout=timeout)
        return woken or any(queue.due for queue in self.stats().by_queue.values())


class WaitsForAll(MemoryBackend):
    """wait treats an empty list of queues as all queues."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues or list(self._store.lanes), timeout=timeout)


class SleepsThroughWhatComes(MemoryBackend):
    """A wait keeps its first wake-up time, although a job with an earlier one is inserted."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        end = monotonic() + timeout.total_seconds()
        with self._locked() as store:
            heads = [store.lanes[name].next_due() for name in queues if name in store.lanes]
            first = min((head for head in heads if head is not None), default=None)
        while not (found := super().wait(queues, timeout=timedelta(0))) and (left := end - monotonic()) > 0:
            with self._locked() as store:
                ahead = (first - datetime.now(UTC)).total_seconds() if first else left
                store.changed.wait(max(0.0, min(left, ahead)))
        return found


class EndsAtAnyChange(MemoryBackend):
    """A wait that another queue's job wakes checks once, and then returns False."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        with self._locked() as store:
            store.changed.wait(timeout.total_seconds())
        return not self._lifetime.has_ended and super().wait(queues, timeout=timedelta(0))


class WakesOne(MemoryBackend):
    """An insert wakes only one waiting thread, which may wait for another queue."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        with self._store.changed, patch.object(self._store.changed, "notify_all", self._store.changed.notify):
            return super().insert(records, **options)


class ResumesSilently(MemoryBackend):
    """resume does not end waits."""

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._locked() as store:
            store.paused.discard(queue)


class WakesOthersOnly(MemoryBackend):
    """A client's own insert does not end its waits."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._waits = 0

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        self._waits += 1
        try:
            return super().wait(queues, timeout=timeout)
        finally:
            self._waits -= 1

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        with self._locked() as store:
            notify, store.changed.notify_all = store.changed.notify_all, lambda: None  # type: ignore[method-assign]
            try:
                return super().insert(records, **options)
            finally:
                store.changed.notify_all = notify  # type: ignore[method-assign]


class CannotWaitForEver(MemoryBackend):
    """A timeout is passed to a driver as 32-bit milliseconds; a longer one raises OverflowError."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        (timeout // timedelta(milliseconds=1)).to_bytes(4, signed=True)
        return super().wait(queues, timeout=timeout)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("wakes at once", "WAIT-01", WakesAtOnce, "M2"),
    MEMORY.mutant("wakes for the running", "WAIT-01", WakesForTheRunning, "M2"),
    MEMORY.mutant("waits whole seconds", "WAIT-01", WaitsWholeSeconds),
    MEMORY.mutant("waits in vain", "WAIT-02", WaitsInVain),
    MEMORY.mutant("waits beside the paused", "WAIT-02", WaitsBesideThePaused),
    MEMORY.mutant("waits for the new", "WAIT-02", WaitsForTheNew),
    MEMORY.mutant("looks late", "WAIT-02", LooksLate),
    MEMORY.mutant("waits for inserts", "WAIT-03", WaitsForInserts),
    MEMORY.mutant("waits for the latest", "WAIT-03", WaitsForTheLatest),
    MEMORY.mutant("wakes for paused", "WAIT-04", WakesForPaused, "M2"),
    MEMORY.mutant("wakes for anything", "WAIT-04", WakesForAnything),
    MEMORY.mutant("waits for all", "WAIT-04", WaitsForAll),
    MEMORY.mutant("sleeps through what comes", "WAIT-05", SleepsThroughWhatComes),
    MEMORY.mutant("ends at any change", "WAIT-05", EndsAtAnyChange, "M2"),
    MEMORY.mutant("wakes one", "WAIT-05", WakesOne),
    MEMORY.mutant("resumes silently", "WAIT-06", ResumesSilently),
    MEMORY.mutant("wakes others only", "WAIT-07", WakesOthersOnly),
    MEMORY.mutant("cannot wait for ever", "WAIT-07", CannotWaitForEver),
    MEMORY.edited("updates silently", "WAIT-08", "backend.MemoryBackend.update", "store.changed.notify_all()", "pass"),
    MEMORY.edited(
        "advances silently", "WAIT-08", "backend.MemoryBackend.advance", "store.changed.notify_all()", "pass"
    ),
)
