"""Bugs in batches: empty ones, too large ones, and ones that are stored in parts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tallystick import (
    Claim,
    Filter,
    Hold,
    Inserted,
    InvalidArgument,
    NewRecord,
    Outcome,
    Record,
    Release,
    Retry,
    validation,
)
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class RefusesEmpty(MemoryBackend):
    """An empty batch is rejected."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        if not outcomes and not self._lifetime.has_ended:
            raise InvalidArgument("there is nothing to settle")
        return super().settle(outcomes, transaction=transaction, now=now)


class BoundParameters(MemoryBackend):
    """More than 32,766 values exceed the parameters of one statement."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if len(records) * 22 > 32_766:
            raise RuntimeError("too many bound parameters")
        return super().insert(records, **options)


class BoundIds(MemoryBackend):
    """A filter with more than 999 ids finds only the first 999."""

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        return super().list(replace(filter, ids=filter.ids and filter.ids[:999]), **options)


class TakesAnyBatch(MemoryBackend):
    """extend accepts any number of claims, in parts."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        half = len(claims) // 2
        return [*super().extend(claims[:half], **options), *super().extend(claims[half:], **options)]


class TakesAnyIds(MemoryBackend):
    """get accepts any number of ids, in parts."""

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        half = len(ids) // 2
        return super().get(ids[:half]) | super().get(ids[half:])


class StoresPartly(MemoryBackend):
    """Each job of a batch is stored separately, so a rejected job leaves the earlier ones in the store."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return [super(StoresPartly, self).insert([new], **options)[0] for new in records]


class InsertsInParts(MemoryBackend):
    """A long batch is checked and stored in parts of 500 jobs."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = list(super().insert(records[:500], **options))
        for n in range(500, len(records), 500):
            answers += super().insert(records[n : n + 500], **options)
        return answers


class SettlesInParts(MemoryBackend):
    """A long batch is checked and applied in parts of 200 outcomes."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        answers = list(super().settle(outcomes[:200], transaction=transaction, now=now))
        for n in range(200, len(outcomes), 200):
            answers += super().settle(outcomes[n : n + 200], transaction=transaction, now=now)
        return answers


class RefusesInTheMiddle(MemoryBackend):
    """settle validates the delay of an outcome when it applies it, after it has applied earlier outcomes."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        checked = [outcome for outcome in outcomes if not isinstance(outcome, Retry | Release)]
        stale = [replace(outcome, claim=Claim(outcome.claim.id, 0)) for outcome in checked]
        super().settle(stale, transaction=transaction, now=now)
        validation.within(len(outcomes), 0, self.capabilities.max_batch, "the number of outcomes")
        return [super(RefusesInTheMiddle, self).settle([outcome], now=now)[0] for outcome in outcomes]


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("refuses the empty", "BATCH-01", RefusesEmpty),
    MEMORY.mutant("binds too many", "BATCH-02", BoundParameters, "H1"),
    MEMORY.mutant("binds few ids", "BATCH-02", BoundIds, "H1"),
    MEMORY.mutant("takes any batch", "BATCH-03", TakesAnyBatch),
    MEMORY.mutant("takes any ids", "BATCH-03", TakesAnyIds),
    MEMORY.mutant("stores partly", "BATCH-04", StoresPartly, "H2"),
    MEMORY.mutant("inserts in parts", "BATCH-04", InsertsInParts, "H2"),
    MEMORY.mutant("settles in parts", "BATCH-04", SettlesInParts, "H2"),
    MEMORY.mutant("refuses in the middle", "BATCH-04", RefusesInTheMiddle, "H2"),
)
