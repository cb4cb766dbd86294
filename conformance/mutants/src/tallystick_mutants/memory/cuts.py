"""Bugs in long batches and filters that are processed in parts, and in results of the wrong type."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick import Filter, Inserted, NewRecord, Outcome, Record, Retry, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

Now = datetime | None


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


class ForgetsFarDuplicates(MemoryBackend):
    """A duplicate within a batch is returned as created if it is more than a thousand jobs after the first."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = list(super().insert(records, **options))
        first = {answer.record.id: n for n, answer in reversed(list(enumerate(answers)))}
        return [
            answer._replace(created=answer.created or n - first[answer.record.id] >= 1_000)
            for n, answer in enumerate(answers)
        ]


class CutsKinds(MemoryBackend):
    """A filter uses only its first hundred kinds."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        kinds = None if filter.kinds is None else filter.kinds[:100]
        return super().list(replace(filter, kinds=kinds), limit=limit, after=after)


class CutsQueues(MemoryBackend):
    """A claim uses only the first 500 of its queues."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(queues if isinstance(queues, str) else queues[:500], **options)


class ClaimsIterate(MemoryBackend):
    """A claim returns an iterator."""

    def claim(self, queues: Sequence[str], **options: Any) -> Any:
        return iter(super().claim(queues, **options))


class ListsGenerate(MemoryBackend):
    """list returns a generator."""

    def list(self, filter: Filter, **options: Any) -> Any:
        return (record for record in super().list(filter, **options))


class CancelsSets(MemoryBackend):
    """cancel returns a set."""

    def cancel(self, filter: Filter, **options: Any) -> Any:
        return set(super().cancel(filter, **options))


class CreatesOnes(MemoryBackend):
    """created is 0 or 1."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Any:
        return [Inserted(answer.record, int(answer.created)) for answer in super().insert(records, **options)]  # type: ignore[arg-type]


class CountsByText(MemoryBackend):
    """by_state has strings as keys instead of states."""

    def stats(self, *, now: Now = None) -> Any:
        stats: Stats = super().stats(now=now)
        return stats._replace(by_state={str(state): count for state, count in stats.by_state.items()})  # type: ignore[misc]


class WaitsOnes(MemoryBackend):
    """wait returns 0 or 1."""

    def wait(self, *args: Any, **options: Any) -> Any:
        return int(super().wait(*args, **options))


class RetriesByItsClock(MemoryBackend):
    """The delay of a Retry counts from the client's clock, not from now."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        return super().settle([_by_clock(outcome) for outcome in outcomes], transaction=transaction, now=now)


def _by_clock(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Retry) and not isinstance(outcome.run_at, datetime) and outcome.run_at.days < 4_000:
        return replace(outcome, run_at=datetime.now().astimezone() + outcome.run_at)
    return outcome


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("inserts in parts", "BATCH-04", InsertsInParts, "H2"),
        ("settles in parts", "BATCH-04", SettlesInParts, "H2"),
        ("forgets far duplicates", "UNIQUE-02", ForgetsFarDuplicates, "H5"),
        ("cuts the kinds of a filter", "FILTER-01", CutsKinds, "H1"),
        ("cuts the queues of a claim", "CLAIM-03", CutsQueues, "H1"),
        ("claims an iterator", "CALL-02", ClaimsIterate, ""),
        ("lists a generator", "CALL-02", ListsGenerate, ""),
        ("cancels a set", "CALL-02", CancelsSets, ""),
        ("creates ones", "CALL-02", CreatesOnes, ""),
        ("counts by text", "CALL-02", CountsByText, ""),
        ("waits ones", "CALL-02", WaitsOnes, ""),
        ("retries by its own clock", "SETTLE-02", RetriesByItsClock, "B7"),
    )
)
