"""Bugs that need more than a hundred jobs to appear."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tallystick import Claim, Filter, Hold, NewRecord, Outcome, Record, Stats
from tallystick import Inserted as Answer
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

_PART = 128

Now = datetime | None


class ExtendsTheFirst(MemoryBackend):
    """extend returns HELD for all claims after the first 128, and does not extend them."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        if len(claims) <= _PART or len(claims) > self.capabilities.max_batch:
            return super().extend(claims, lease=lease, now=now)
        return [*super().extend(claims[:_PART], lease=lease, now=now), *[Hold.HELD] * (len(claims) - _PART)]


class SettlesPartsBackwards(MemoryBackend):
    """The results of a long settle are in parts, in reverse order of the parts."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        applied = super().settle(outcomes, transaction=transaction, now=now)
        return [*applied[_PART:], *applied[:_PART]]


class OrdersEachPart(MemoryBackend):
    """The jobs of a long claim are sorted only within each part of 64."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = list(super().claim(queues, **options))
        parts = [claimed[n : n + 64] for n in range(0, len(claimed), 64)]
        return [record for part in (parts if len(parts) < 3 else reversed(parts)) for record in part]


class CountsUpTo(MemoryBackend):
    """stats counts at most 100 of a few hundred due jobs of a queue."""

    def stats(self, *, now: Now = None) -> Stats:
        found = super().stats(now=now)
        by_queue = {
            name: queue._replace(due=100) if 100 < queue.due < 1_000 else queue
            for name, queue in found.by_queue.items()
        }
        return found._replace(by_queue=by_queue)


class ForgetsTheTagsOfMany(MemoryBackend):
    """Tags are lost from the 120th job of a batch on."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Answer]:
        few = [replace(new, tags=()) if 120 <= n < 1_000 else new for n, new in enumerate(records)]
        return super().insert(few if len(few) < 1_000 else records, **options)


class PagesByHundreds(MemoryBackend):
    """A page after an id has at most 100 records."""

    def list(self, filter: Filter, *, limit: int, after: Any = None) -> Sequence[Record]:
        return super().list(filter, limit=limit if after is None else min(limit, 100), after=after)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "")
    for name, clause, make in (
        ("extends the first", "LEASE-01", ExtendsTheFirst),
        ("settles parts backwards", "SETTLE-06", SettlesPartsBackwards),
        ("orders each part", "CLAIM-05", OrdersEachPart),
        ("counts up to a hundred", "STATS-04", CountsUpTo),
        ("forgets the tags of many", "INSERT-01", ForgetsTheTagsOfMany),
        ("pages by hundreds", "QUERY-02", PagesByHundreds),
    )
)
