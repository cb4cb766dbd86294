"""Find and order records that are in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from heapq import nlargest
from operator import attrgetter
from uuid import UUID

from ..records import Filter, Record


def claiming_order(record: Record) -> tuple[int, datetime, int]:
    """Return the sort key of a record in claiming order: higher priority, then run_at, then id."""
    return (-record.priority, record.run_at, record.id.int)


def matching(records: Mapping[UUID, Record], filter: Filter) -> list[Record]:
    """Return the records that match a filter. A filter with ids reads only those."""
    if filter.ids is None:
        return [record for record in records.values() if filter.fits(record)]
    found = (records.get(id) for id in dict.fromkeys(filter.ids))
    rest = replace(filter, ids=None)
    return [record for record in found if record is not None and rest.fits(record)]


def page(records: Iterable[Record], *, limit: int, after: UUID | None) -> list[Record]:
    """Return one page of `list`: newest first, below the id `after`."""
    older = (record for record in records if after is None or record.id < after)
    return nlargest(limit, older, key=attrgetter("id.int"))
