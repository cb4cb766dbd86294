"""Bugs in times: rounded to less than the declared precision, stored in another time zone, or cached for too long."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import CLAIMABLE, Filter, Inserted, NewRecord, Outcome, Record, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None


class RescuesByMilliseconds(MemoryBackend):
    """A rescue rounds its now down to milliseconds, so a lease expires up to one millisecond late."""

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        moment = validation.utc(now or datetime.now(UTC))
        return super().rescue(limit=limit, now=moment - timedelta(microseconds=moment.microsecond % 1_000))


class KeepsTheZoneOfNow(MemoryBackend):
    """Times of jobs are stored in UTC, but the now of an insert keeps its time zone."""

    def insert(self, records: Sequence[NewRecord], *, now: Now = None, **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, now=now, **options)
        if now is None:
            return answers
        with self._locked() as store:
            for n, answer in enumerate(answers):
                if answer.created:
                    record = answer.record._replace(created_at=now, updated_at=now)
                    store.records[record.id] = record
                    answers = [*answers[:n], Inserted(record, created=True), *answers[n + 1 :]]
        return answers


class RemembersTheNextDue(MemoryBackend):
    """A client caches when the next job is due, and reads again only then, or after a write of its own."""

    _next: Any = None

    def claim(self, queues: Sequence[str], *, now: Now = None, **options: Any) -> Sequence[Record]:
        asked, moment = tuple(queues), validation.utc(now or datetime.now(UTC))
        if self._next is not None and self._next[0] == asked and moment < self._next[1]:
            with self._locked():
                return []
        claimed = super().claim(queues, now=now, **options)
        with self._locked() as store:
            waiting = [r for r in store.records.values() if r.state in CLAIMABLE and r.queue in asked]
        self._next = (asked, min(r.run_at for r in waiting)) if waiting and not claimed else None
        return claimed

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        self._next = None
        return super().insert(records, **options)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        self._next = None
        return super().settle(outcomes, transaction=transaction, now=now)

    def rescue(self, *, limit: int, now: Now = None) -> Sequence[Record]:
        self._next = None
        return super().rescue(limit=limit, now=now)

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        self._next = None
        return super().requeue(filter, limit=limit, now=now)

    def resume(self, queue: str) -> None:
        self._next = None
        super().resume(queue)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("rescues by milliseconds", "TIME-02", RescuesByMilliseconds, "B4"),
        ("keeps the zone of now", "TIME-03", KeepsTheZoneOfNow, "B11"),
        ("remembers the next due", "CLAIM-07", RemembersTheNextDue, ""),
    )
)
