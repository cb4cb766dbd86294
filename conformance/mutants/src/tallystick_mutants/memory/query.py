"""Bugs in get and list."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tallystick import Filter, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class AnswersNone(MemoryBackend):
    """get returns None for an unknown id."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        return {**dict.fromkeys(ids), **super().get(ids)}  # type: ignore[dict-item]


class PagesByHundreds(MemoryBackend):
    """A page after an id has at most 100 records."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        return super().list(filter, limit=limit if after is None else min(limit, 100), after=after, **options)


class RepeatsLast(MemoryBackend):
    """A page begins with the last record of the previous page."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        later = UUID(int=min(after.int + 1, 2**128 - 1)) if isinstance(after, UUID) else after
        return super().list(filter, limit=limit, after=later, **options)


class SkipsTies(MemoryBackend):
    """A page omits records that were created at the same time as the last one of the previous page."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        page = super().list(filter, limit=limit, after=after, **options)
        last = self.get([after])[after].created_at if isinstance(after, UUID) and self.get([after]) else None
        return [record for record in page if record.created_at != last]


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("answers None", "QUERY-01", AnswersNone, "E10"),
    MEMORY.mutant("pages by hundreds", "QUERY-02", PagesByHundreds),
    MEMORY.mutant("repeats the last", "QUERY-03", RepeatsLast, "E1"),
    MEMORY.mutant("skips ties", "QUERY-04", SkipsTies, "E1"),
)
