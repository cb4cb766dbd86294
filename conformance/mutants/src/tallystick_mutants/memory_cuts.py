"""Bugs of what is long, or told in another form: batches and filters in parts, and answers that only look right."""

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
    """A long batch is checked and stored five hundred at a time."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = list(super().insert(records[:500], **options))
        for n in range(500, len(records), 500):
            answers += super().insert(records[n : n + 500], **options)
        return answers


class SettlesInParts(MemoryBackend):
    """A long batch is checked and applied two hundred at a time."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        answers = list(super().settle(outcomes[:200], transaction=transaction, now=now))
        for n in range(200, len(outcomes), 200):
            answers += super().settle(outcomes[n : n + 200], transaction=transaction, now=now)
        return answers


class ForgetsFarDuplicates(MemoryBackend):
    """A duplicate of a job of the same batch is answered as stored, where a thousand lie between."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = list(super().insert(records, **options))
        first = {answer.record.id: n for n, answer in reversed(list(enumerate(answers)))}
        return [
            answer._replace(created=answer.created or n - first[answer.record.id] >= 1_000)
            for n, answer in enumerate(answers)
        ]


class CutsKinds(MemoryBackend):
    """Of a filter's kinds the first hundred are looked at."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        kinds = None if filter.kinds is None else filter.kinds[:100]
        return super().list(replace(filter, kinds=kinds), limit=limit, after=after)


class CutsQueues(MemoryBackend):
    """Of the queues that a claim names the first five hundred are looked at."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(queues if isinstance(queues, str) else queues[:500], **options)


class ClaimsIterate(MemoryBackend):
    """A claim answers with an iterator."""

    def claim(self, queues: Sequence[str], **options: Any) -> Any:
        return iter(super().claim(queues, **options))


class ListsGenerate(MemoryBackend):
    """A list answers with a generator."""

    def list(self, filter: Filter, **options: Any) -> Any:
        return (record for record in super().list(filter, **options))


class CancelsSets(MemoryBackend):
    """A cancel answers with a set."""

    def cancel(self, filter: Filter, **options: Any) -> Any:
        return set(super().cancel(filter, **options))


class CreatesOnes(MemoryBackend):
    """created is 0 or 1."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Any:
        return [Inserted(answer.record, int(answer.created)) for answer in super().insert(records, **options)]  # type: ignore[arg-type]


class CountsByText(MemoryBackend):
    """by_state has names in place of states."""

    def stats(self, *, now: Now = None) -> Any:
        stats: Stats = super().stats(now=now)
        return stats._replace(by_state={str(state): count for state, count in stats.by_state.items()})  # type: ignore[misc]


class WaitsOnes(MemoryBackend):
    """wait answers 0 or 1."""

    def wait(self, *args: Any, **options: Any) -> Any:
        return int(super().wait(*args, **options))


class RetriesByItsClock(MemoryBackend):
    """The delay of a Retry counts from the client's clock."""

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
