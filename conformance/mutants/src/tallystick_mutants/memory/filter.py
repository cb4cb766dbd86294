"""Bugs in filters: empty and long ones."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tallystick import Filter, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class EmptyFitsAll(MemoryBackend):
    """An empty collection in a filter matches all records."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        return super().list(
            Filter(
                ids=filter.ids or None,
                states=filter.states or None,
                kinds=filter.kinds or None,
                queues=filter.queues or None,
                tags=filter.tags or None,
            ),
            limit=limit,
            after=after,
        )


class CutsKinds(MemoryBackend):
    """A filter uses only its first hundred kinds."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        kinds = None if filter.kinds is None else filter.kinds[:100]
        return super().list(replace(filter, kinds=kinds), limit=limit, after=after)


class RequeuesAllForNoTags(MemoryBackend):
    """requeue treats an empty collection of tags in its filter as None."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().requeue(replace(filter, tags=filter.tags or None), limit=limit, now=now)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("empty fits all", "FILTER-01", EmptyFitsAll, "F8"),
    MEMORY.mutant("cuts the kinds of a filter", "FILTER-01", CutsKinds, "H1"),
    MEMORY.mutant("requeues all for no tags", "FILTER-01", RequeuesAllForNoTags),
)
