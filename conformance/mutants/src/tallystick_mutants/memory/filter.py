"""Bugs in filters: empty and long ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallystick import Filter, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class EmptyFitsAll(MemoryBackend):
    """An empty collection in a filter matches all records."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
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
            **options,
        )


class CutsKinds(MemoryBackend):
    """A filter uses only its first hundred kinds."""

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        kinds = None if filter.kinds is None else filter.kinds[:100]
        return super().list(replace(filter, kinds=kinds), limit=limit, after=after, **options)


class RequeuesAllForNoTags(MemoryBackend):
    """requeue treats an empty collection of tags in its filter as None."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().requeue(replace(filter, tags=filter.tags or None), limit=limit, now=now)


_FITS, _ERROR = "backend.Filter.fits", "backend.Filter._fits_error"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("empty fits all", "FILTER-01", EmptyFitsAll, "F8"),
    MEMORY.mutant("cuts the kinds of a filter", "FILTER-01", CutsKinds, "H1"),
    MEMORY.edited(
        "ignores the end of created",
        "FILTER-02",
        _FITS,
        "self.created_since, self.created_until",
        "self.created_since, None",
    ),
    MEMORY.edited(
        "finishes the unfinished",
        "FILTER-02",
        _FITS,
        "_is_within(record.finished_at,",
        "_is_within(record.finished_at or record.updated_at,",
    ),
    MEMORY.edited("ignores workers", "FILTER-01", _FITS, "record.worker in self.workers", "True"),
    MEMORY.edited(
        "finds free keys only",
        "FILTER-01",
        _FITS,
        "record.unique_key in self.unique_keys",
        "record.finished_at is None and record.unique_key in self.unique_keys",
    ),
    MEMORY.edited(
        "finds text without case",
        "FILTER-03",
        _ERROR,
        "self.error_text in error.message",
        "self.error_text.lower() in error.message.lower()",
    ),
    MEMORY.edited("finds text in types only", "FILTER-03", _ERROR, " or self.error_text in error.message", ""),
    MEMORY.mutant("requeues all for no tags", "FILTER-01", RequeuesAllForNoTags),
)
