"""Bugs in results: wrong types, and valid calls that fail."""

from collections.abc import Sequence
from typing import Any

from tallystick import Claim, Filter, Hold, Inserted, InvalidArgument, NewRecord, Record, Stats
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now, Stores


class RefusesLargeLimits(MemoryBackend):
    """A limit above 10,000 is rejected."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        if limit > 10_000:
            raise InvalidArgument(f"limit is {limit}; it must be at most 10,000")
        return super().list(filter, limit=limit, after=after, **options)


class RefusesLowPriorities(MemoryBackend):
    """A batch with a job of the lowest priority fails, because the negative of its priority does not fit in 16 bits."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        with self._locked() as store:
            priorities = [store.records[claim.id].priority for claim in claims if claim.id in store.records]
        if -(2**15) in priorities:
            raise OverflowError("the opposite of -32768 does not fit")
        return super().extend(claims, **options)


class StateAsText(Stores):
    """A state is a plain string, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(state=record.state.value)  # type: ignore[arg-type]


class FlagAsNumber(Stores):
    """cancel_requested is 0 or 1, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(cancel_requested=int(record.cancel_requested))  # type: ignore[arg-type]


class PayloadAsArray(Stores):
    """A payload is a bytearray, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(payload=bytearray(record.payload))  # type: ignore[arg-type]


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("refuses large limits", "CALL-01", RefusesLargeLimits),
    MEMORY.mutant("refuses low priorities", "CALL-01", RefusesLowPriorities),
    MEMORY.mutant("has states as text", "CALL-02", StateAsText),
    MEMORY.mutant("has flags as numbers", "CALL-02", FlagAsNumber),
    MEMORY.mutant("has payloads as arrays", "CALL-02", PayloadAsArray),
    MEMORY.mutant("claims an iterator", "CALL-02", ClaimsIterate),
    MEMORY.mutant("lists a generator", "CALL-02", ListsGenerate),
    MEMORY.mutant("cancels a set", "CALL-02", CancelsSets),
    MEMORY.mutant("creates ones", "CALL-02", CreatesOnes),
    MEMORY.mutant("counts by text", "CALL-02", CountsByText),
    MEMORY.mutant("waits ones", "CALL-02", WaitsOnes),
)
