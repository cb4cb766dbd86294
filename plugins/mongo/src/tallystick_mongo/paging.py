"""Find one page of records, or count records."""

from collections.abc import Iterator
from itertools import chain
from typing import assert_never

from tallystick import CLAIMABLE, FINAL, Record
from tallystick.backends.calls import CountCall, ListCall

from . import documents, known_queues, queries
from .claiming import chunks
from .collections import Collections
from .documents import Document
from .error_fields import UNREAD
from .queries import EARLIEST_FIRST, LATEST_FIRST, NEWEST_FIRST, Query
from .schema import DUE, hint


def page(store: Collections, call: ListCall) -> list[Record]:
    """Return one page of records, in the order of the call and behind its position."""
    match call.order:
        case "id":
            return list(documents.records(_by_id(store, call)))
        case "finished_at":
            return list(documents.records(_by_finished_at(store, call)))
        case "run_at":
            return list(documents.records(_by_run_at(store, call)))
        case _:
            assert_never(call.order)


def count(store: Collections, call: CountCall) -> int:
    """Count the matching records, and stop at `at_most`."""
    query = queries.among(call.filter.ids, queries.fitting(call.filter, {"state": queries.VISIBLE}))
    return store.jobs.count_documents(query, limit=call.at_most, **hint(call.filter))


def _by_id(store: Collections, call: ListCall) -> Iterator[Document]:
    fitting = queries.fitting(call.filter, {"state": queries.VISIBLE})
    query = queries.among(call.filter.ids, fitting, below=call.after)
    return store.jobs.find(query, UNREAD, **hint(call.filter)).sort(NEWEST_FIRST).limit(call.limit)


def _by_finished_at(store: Collections, call: ListCall) -> Iterator[Document]:
    finished = {"finished_at": {"$exists": True, **queries.DATE}, "state": {"$in": sorted(FINAL)}}
    query = _restricted(call, "finished_at", -1, queries.fitting(call.filter, finished))
    return store.jobs.find(query, UNREAD, **hint(call.filter)).sort(LATEST_FIRST).limit(call.limit)


def _by_run_at(store: Collections, call: ListCall) -> list[Document]:
    """Find a page in each part of the queues, because the index of due times begins with the queue."""
    fitting = queries.fitting(call.filter, queries.WAITS)
    query = _restricted(call, "due", 1, fitting)
    if call.filter.states is not None and CLAIMABLE.isdisjoint(call.filter.states):
        return []
    if call.filter.ids is not None or hint(call.filter):
        return list(store.jobs.find(query, UNREAD, **hint(call.filter)).sort(EARLIEST_FIRST).limit(call.limit))
    names = call.filter.queues
    if names is None:
        names = [queue.name for queue in known_queues.known(store)]
    found = chain.from_iterable(
        store.jobs.find({**query, "queue": {"$in": list(some)}}, UNREAD)
        .sort(EARLIEST_FIRST)
        .limit(call.limit)
        .hint(DUE)
        for some in chunks(list(dict.fromkeys(names)))
    )
    return sorted(found, key=lambda document: (document["due"], _bytes(document)))[: call.limit]


def _bytes(document: Document) -> bytes:
    return getattr(document["_id"], "bytes", b"")


def _restricted(call: ListCall, field: str, order: int, query: Query) -> Query:
    """Restrict a query to the filter's ids, and to the records behind the call's position."""
    query = queries.among(call.filter.ids, query)
    if call.after is None or call.after_time is None:
        return query
    return {"$and": [query, queries.behind(field, order, call.after_time, call.after)]}
