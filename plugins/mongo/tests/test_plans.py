"""The index that each query uses, by its layout and by the server's explain plans."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from bson import ObjectId
from tallystick import Filter, NewRecord, State
from tallystick_mongo import MongoBackend, queries, register_queries, schema
from tallystick_mongo.collections import Collections, Jobs
from tallystick_mongo.queries import Query

NOW = datetime(2031, 5, 17, tzinfo=UTC)
QUEUES = ["a", "b"]

INDEXES = {
    index.document["name"]: index.document
    for index in (*schema.INDEXES, *(index for some in schema.REGISTER_INDEXES.values() for index in some))
}


class IndexedQuery(NamedTuple):
    """The name of an index, a query for it, the query's order, whether it names its index, and the collection."""

    name: str
    filter: Query
    order: Sequence[tuple[str, int]] = ()
    hinted: bool = False
    collection: str = "jobs"


def _part(filter: Filter) -> Query:
    """Return the condition of a filter with one field."""
    [_, condition] = queries.fitting(filter, {})["$and"]
    assert isinstance(condition, dict)
    return condition


QUERIES = [
    IndexedQuery(schema.CLAIMS, {**queries.due(NOW), "queue": {"$in": QUEUES}}, queries.CLAIMING_ORDER, hinted=True),
    IndexedQuery(schema.DUE, queries.waits(QUEUES), queries.EARLIEST_FIRST, hinted=True),
    IndexedQuery("tallystick_leases", queries.expired(NOW), [("lease_until", 1)]),
    IndexedQuery("tallystick_finished", queries.finished([State.COMPLETED], NOW), queries.LATEST_FIRST),
    IndexedQuery(schema.ERRORS, _part(Filter(error_types=["E"])), queries.NEWEST_FIRST),
    IndexedQuery("tallystick_unique_keys", _part(Filter(unique_keys=["k"])), queries.NEWEST_FIRST),
    IndexedQuery(schema.HELD_KEYS, queries.holders([], ["k"])["$or"][1]),  # each branch has its own index
    IndexedQuery(schema.HELD_KEYS, queries.passed(["k"], NOW)),
    IndexedQuery("tallystick_batches", queries.staged(ObjectId())),
    IndexedQuery(
        "tallystick_next_ticks", register_queries.WILL_FIRE, register_queries.NEXT_FIRST, collection="schedules"
    ),
    IndexedQuery("tallystick_fired", register_queries.FIRED, collection="schedules"),
    IndexedQuery("tallystick_minutes", {**register_queries.older(NOW), "first": {"$lt": NOW}}, collection="meters"),
]


def test_every_index_has_its_query() -> None:
    """Every index serves a query."""
    assert {query.name for query in QUERIES} == INDEXES.keys()


@pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])
def test_indexes_follow_the_esr_rule(query: IndexedQuery) -> None:
    """The index has the fields compared by equality first, then the order, then the ranges.

    So the server reads only matching keys, in order. Source: MongoDB's manual, "The ESR (Equality, Sort, Range) Rule".
    A `$in` counts as equality: the server merges up to 200 searches in order (DOCS-16663).
    """
    keys = list(INDEXES[query.name]["key"].items())
    equal = {field for field, value in query.filter.items() if not isinstance(value, dict) or "$in" in value}
    while keys and keys[0][0] in equal:
        keys.pop(0)
    ordered, ranges = keys[: len(query.order)], keys[len(query.order) :]
    assert ordered in (list(query.order), [(field, -direction) for field, direction in query.order])
    assert not {field for field, _ in ranges} - (query.filter.keys() - equal)


@pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])
def test_queries_imply_the_partial_filter(query: IndexedQuery) -> None:
    """Each query implies the partial filter of its index; otherwise the server may not use the index.

    Source: MongoDB's manual, "Partial Indexes", on query coverage.
    """
    [(field, condition)] = INDEXES[query.name]["partialFilterExpression"].items()
    value = query.filter[field]
    assert condition == {"$exists": True}
    assert value is not None
    assert not isinstance(value, dict) or value.get("$exists") or None not in value.get("$in", [None])


@pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])
def test_the_server_uses_the_index(backend: MongoBackend, store: Collections, query: IndexedQuery) -> None:
    """The server uses the index, without a sort or a collection scan."""
    backend.insert([NewRecord(kind="k", queue=queue) for queue in QUEUES for _ in range(50)], now=NOW)
    collection: Jobs = getattr(store, query.collection)
    cursor = collection.find(query.filter).limit(10)
    cursor = cursor.sort(query.order) if query.order else cursor
    cursor = cursor.hint(query.name) if query.hinted else cursor
    plan = cursor.explain().get("queryPlanner", {}).get("winningPlan")
    if plan is None or not list(_all(plan, "stage")):
        pytest.skip("this server does not explain its plans as MongoDB does")
    assert set(_all(plan, "indexName")) == {query.name}
    assert not {"SORT", "COLLSCAN"} & set(_all(plan, "stage"))


def _all(plan: Any, name: str) -> Iterator[Any]:
    """Yield every value of a key in a nested plan."""
    if isinstance(plan, dict):
        yield from [plan[name]] if name in plan else []
        for part in plan.values():
            yield from _all(part, name)
    elif isinstance(plan, list):
        for part in plan:
            yield from _all(part, name)
