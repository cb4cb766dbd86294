"""Find and order records that are in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from heapq import nlargest, nsmallest
from operator import attrgetter, itemgetter
from typing import assert_never
from uuid import UUID

from ..contract.filters import Filter
from ..contract.records import Record
from ..contract.state import CLAIMABLE
from .calls import ListCall


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


def page(records: Iterable[Record], call: ListCall) -> list[Record]:
    """Return one page of `list`, in its order and behind its position."""
    match call.order:
        case "id":
            older = (record for record in records if call.after is None or record.id < call.after)
            return nlargest(call.limit, older, key=attrgetter("id.int"))
        case "finished_at":
            finished = ((record.finished_at, record.id.int, record) for record in records if record.finished_at)
            rest = (entry for entry in finished if call.position is None or entry[:2] < call.position)
            return [entry[2] for entry in nlargest(call.limit, rest, key=itemgetter(0, 1))]
        case "run_at":
            waiting = ((record.run_at, record.id.int, record) for record in records if record.state in CLAIMABLE)
            rest = (entry for entry in waiting if call.position is None or entry[:2] > call.position)
            return [entry[2] for entry in nsmallest(call.limit, rest, key=itemgetter(0, 1))]
        case _:
            assert_never(call.order)
