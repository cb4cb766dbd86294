"""Bugs that come with company only: each takes a short cut while another call is under way, and is right alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tallystick import Inserted, NewRecord, Outcome, Record, State, Stats
from tallystick.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend, transitions
from tallystick_memory.store import Store

_LATER = timedelta(seconds=2)
Now = datetime | None


class Hurried(MemoryBackend):
    """Knows when another call is under way."""

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
    """A hurried claim begins an attempt with the number of the one before."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = [r._replace(attempt=r.attempt - 1) for r in MemoryBackend.claim(self, queues, **options)]
        for record in claimed:
            store.put(record)
        return claimed


class TakesTheRunning(Hurried):
    """A hurried claim that finds nothing takes a job that runs."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], *, now: Now = None, **options: Any) -> list[Record]:
        assert now is not None
        claimed = list(MemoryBackend.claim(self, queues, now=now, **options))
        if not claimed:
            running = [store.records[id] for id in sorted(store.running) if store.records[id].queue in queues][:1]
            claimed = [transitions.claimed(r, options["worker"], now + options["lease"], now) for r in running]
            for record in claimed:
                store.put(record)
        return claimed


class TakesTheEnded(Hurried):
    """A hurried claim that finds nothing takes a job that has ended."""

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
    """A hurried claim takes what is due two seconds later."""

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
    """A hurried claim does not look at pauses."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        paused, store.paused = store.paused, set()
        try:
            return MemoryBackend.claim(self, queues, **options)
        finally:
            store.paused = paused


class TakesOneMore(Hurried):
    """A hurried claim takes one job more than it may."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return MemoryBackend.claim(self, queues, **{**options, "limit": options["limit"] + 1})


class AnswersBackwards(Hurried):
    """A hurried claim answers in the order in which it wrote."""

    def _claim_hurriedly(self, store: Store, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return list(reversed(MemoryBackend.claim(self, queues, **options)))


class EndsTwice(Hurried):
    """A hurried settle applies an outcome to a job that has ended already."""

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
    """A settle that would have to wait for another call is refused."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return (
            [False] * len(outcomes)
            if self._is_hurried()
            else super().settle(outcomes, transaction=transaction, now=now)
        )


class RescuesNothing(Hurried):
    """A rescue that would have to wait for another call finds nothing."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        return [] if self._is_hurried() else super().rescue(limit=limit, now=now)


class RescuesEarly(Hurried):
    """A hurried rescue takes what will have run out two seconds later."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        assert now is not None
        return super().rescue(limit=limit, now=now + _LATER if self._is_hurried() else now)


class StoresNothing(Hurried):
    """A hurried insert is answered, and the first of its jobs is forgotten."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        hurried = self._is_hurried()
        with self._locked() as store:
            answers = super().insert(records, **options)
            if hurried and answers[0].created:
                store.remove(answers[0].record)
        return answers


class StoresEveryKey(Hurried):
    """A hurried insert does not look at keys."""

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


class CountsWhatWas(Hurried):
    """A hurried stats is that of the time before."""

    _last: Stats | None = None

    def stats(self, *, now: Now = None) -> Stats:
        if self._last is None or not self._is_hurried():
            self._last = super().stats(now=now)
        return self._last


_BUGS: dict[str, tuple[str, type[MemoryBackend]]] = {
    "R1": ("counts no attempt in haste", CountsNoAttempt),
    "R2": ("takes the running in haste", TakesTheRunning),
    "R3": ("ends twice in haste", EndsTwice),
    "R4": ("refuses in haste", RefusesInHaste),
    "R5": ("takes the ended in haste", TakesTheEnded),
    "R6": ("takes the future in haste", TakesTheFuture),
    "R7": ("takes the paused in haste", TakesThePaused),
    "R8": ("takes one more in haste", TakesOneMore),
    "R9": ("rescues nothing in haste", RescuesNothing),
    "R10": ("answers backwards in haste", AnswersBackwards),
    "R11": ("stores nothing in haste", StoresNothing),
    "R12": ("counts what was in haste", CountsWhatWas),
    "R13": ("stores every key in haste", StoresEveryKey),
    "R14": ("rescues early in haste", RescuesEarly),
}
MUTANTS = tuple(
    Mutant(name, f"HISTORY-{int(rule[1:]):02}", make, make.__doc__ or "") for rule, (name, make) in _BUGS.items()
)
