"""Bugs that only concurrent calls trigger: a call takes a shortcut while another call is in progress."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tallystick import Inserted, NewRecord, Outcome, Record, State, Stats
from tallystick.backends import transitions
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now

_LATER = timedelta(seconds=2)


class Hurried(MemoryBackend):
    """Detects whether another call is in progress."""

    def _is_hurried(self) -> bool:
        if self._store.changed.acquire(blocking=False):
            self._store.changed.release()
            return False
        return True

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        if not self._is_hurried():
            return super().claim(queues, **options)
        with self._locked() as store:
            return self._claim_hurriedly(store, queues, **options)

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(queues, **options)


class CountsNoAttempt(Hurried):
    """A claim during another call starts an attempt with the previous attempt's number."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = [r._replace(attempt=r.attempt - 1) for r in MemoryBackend.claim(self, queues, **options)]
        for record in claimed:
            store.put(record)
        return claimed


class TakesTheRunning(Hurried):
    """A claim during another call that finds no job takes a running one."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], *, now: Now = None, **options: Any) -> list[Record]:
        assert now is not None
        claimed = list(MemoryBackend.claim(self, queues, now=now, **options))
        if not claimed:
            running = [store.records[id] for id in sorted(store.running) if store.records[id].queue in queues][:1]
            claimed = [transitions.claimed(r, options["worker"], now + options["lease"], now) for r in running]
            for record in claimed:
                store.put(record)
        return claimed


class EndsTwice(Hurried):
    """A settle during another call applies an outcome to a job that has already ended."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        record = store.records.get(outcome.claim.id)
        if self._hurried and record is not None and record.state in FINAL and record.claim == outcome.claim:
            store.put(record._replace(state=State.RUNNING, lease_until=now))
        return super()._settle(store, outcome, now)

    _hurried = False

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._hurried = self._is_hurried()
        return super().settle(outcomes, transaction=transaction, now=now)


class RefusesInHaste(Hurried):
    """A settle that would have to wait for another call fails."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return (
            [False] * len(outcomes)
            if self._is_hurried()
            else super().settle(outcomes, transaction=transaction, now=now)
        )


class TakesTheEnded(Hurried):
    """A claim during another call that finds no job takes a finished one."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], *, now: Now = None, **options: Any) -> list[Record]:
        assert now is not None
        claimed = list(MemoryBackend.claim(self, queues, now=now, **options))
        ended = [r for r in store.records.values() if r.state in FINAL and r.queue in queues]
        if not claimed:
            until = now + options["lease"]
            claimed = [transitions.claimed(r, options["worker"], until, now) for r in ended[:1]]
            for record in claimed:
                store.put(record)
        return claimed


class TakesTheFuture(Hurried):
    """A claim during another call takes jobs that are due within two seconds."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], *, now: Now = None, **options: Any) -> list[Record]:
        assert now is not None
        claimed = [
            record._replace(attempted_at=now, updated_at=now, lease_until=now + options["lease"])
            for record in MemoryBackend.claim(self, queues, now=now + _LATER, **options)
        ]
        for record in claimed:
            store.put(record)
        return claimed


class TakesThePaused(Hurried):
    """A claim during another call ignores pauses."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        paused, store.paused = store.paused, set()
        try:
            return MemoryBackend.claim(self, queues, **options)
        finally:
            store.paused = paused


class TakesOneMore(Hurried):
    """A claim during another call takes one job more than its limit."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return MemoryBackend.claim(self, queues, **{**options, "limit": options["limit"] + 1})


class RescuesNothing(Hurried):
    """A rescue that would have to wait for another call returns nothing."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        return [] if self._is_hurried() else super().rescue(limit=limit, now=now)


class AnswersBackwards(Hurried):
    """A claim during another call returns jobs in the order of its writes."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return list(reversed(MemoryBackend.claim(self, queues, **options)))


class StoresNothing(Hurried):
    """An insert during another call succeeds, but loses the first of its jobs."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        hurried = self._is_hurried()
        with self._locked() as store:
            answers = super().insert(records, **options)
            if hurried and answers[0].created:
                store.remove(answers[0].record)
        return answers


class CountsWhatWas(Hurried):
    """stats during another call returns the previous result."""

    _last: Stats | None = None

    def stats(self, *, now: Now = None) -> Stats:
        if self._last is None or not self._is_hurried():
            self._last = super().stats(now=now)
        return self._last


class StoresEveryKey(Hurried):
    """An insert during another call ignores unique keys."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if not self._is_hurried():
            return super().insert(records, **options)
        with self._locked() as store:
            stored = super().insert([replace(new, unique_key=None) for new in records], **options)
            answers = [
                Inserted(answer.record._replace(unique_key=new.unique_key), answer.created)
                for new, answer in zip(records, stored, strict=True)
            ]
            for answer in answers:
                store.put(answer.record)
        return answers


class RescuesEarly(Hurried):
    """A rescue during another call takes jobs whose lease expires within two seconds."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        assert now is not None
        return super().rescue(limit=limit, now=now + _LATER if self._is_hurried() else now)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("counts no attempt in haste", "HISTORY-01", CountsNoAttempt),
    MEMORY.mutant("takes the running in haste", "HISTORY-02", TakesTheRunning),
    MEMORY.mutant("ends twice in haste", "HISTORY-03", EndsTwice),
    MEMORY.mutant("refuses in haste", "HISTORY-04", RefusesInHaste),
    MEMORY.mutant("takes the ended in haste", "HISTORY-05", TakesTheEnded),
    MEMORY.mutant("takes the future in haste", "HISTORY-06", TakesTheFuture),
    MEMORY.mutant("takes the paused in haste", "HISTORY-07", TakesThePaused),
    MEMORY.mutant("takes one more in haste", "HISTORY-08", TakesOneMore),
    MEMORY.mutant("rescues nothing in haste", "HISTORY-09", RescuesNothing),
    MEMORY.mutant("answers backwards in haste", "HISTORY-10", AnswersBackwards),
    MEMORY.mutant("stores nothing in haste", "HISTORY-11", StoresNothing),
    MEMORY.mutant("counts what was in haste", "HISTORY-12", CountsWhatWas),
    MEMORY.mutant("stores every key in haste", "HISTORY-13", StoresEveryKey),
    MEMORY.mutant("rescues early in haste", "HISTORY-14", RescuesEarly),
)
