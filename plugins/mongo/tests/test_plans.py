"""Which index each question is answered by: how it is laid out, and what a server says that explains its plans."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from bson import ObjectId
from tallystick import NewRecord, State
from tallystick_mongo import MongoBackend, queries, schema
from tallystick_mongo.collections import Collections
from tallystick_mongo.queries import Query

NOW = datetime(2031, 5, 17, tzinfo=UTC)
QUEUES = ["a", "b"]

INDEXES = {index.document["name"]: index.document for index in schema.INDEXES}


class Question(NamedTuple):
    """A search, and whether it names its index."""

    filter: Query
    order: Sequence[tuple[str, int]] = ()
    hinted: bool = False


QUESTIONS = {
    schema.CLAIMS: Question({**queries.due(NOW), "queue": {"$in": QUEUES}}, queries.CLAIMING_ORDER, hinted=True),
    schema.DUE: Question(queries.waits(QUEUES), [("due", 1)], hinted=True),
    "tallystick_leases": Question(queries.expired(NOW), [("lease_until", 1)]),
    "tallystick_finished": Question(queries.finished([State.COMPLETED], NOW)),
    "tallystick_held_keys": Question(queries.holders([], ["k"])["$or"][1]),  # each branch has an index of its own
    "tallystick_batches": Question(queries.staged(ObjectId())),
}


def test_every_index_has_its_question() -> None:
    """None is kept up for nothing."""
    assert QUESTIONS.keys() == INDEXES.keys()


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_equal_comes_first_then_the_order_then_ranges(name: str) -> None:
    """So the server reads what it is asked for, in order, and nothing else.

    Source: MongoDB's manual, "The ESR (Equality, Sort, Range) Rule". A `$in` is equality: searches for up to 200 values
    are merged in order (DOCS-16663).
    """
    question, keys = QUESTIONS[name], list(INDEXES[name]["key"].items())
    equal = {field for field, wanted in question.filter.items() if not isinstance(wanted, dict) or "$in" in wanted}
    while keys and keys[0][0] in equal:
        keys.pop(0)
    ordered, ranges = keys[: len(question.order)], keys[len(question.order) :]
    assert ordered == list(question.order)
    assert not {field for field, _ in ranges} - (question.filter.keys() - equal)


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_asks_for_nothing_that_the_index_leaves_out(name: str) -> None:
    """The question says that the field is there, or is equal to what is not null; else the server may not use it.

    Source: MongoDB's manual, "Partial Indexes", on query coverage.
    """
    [(field, condition)] = INDEXES[name]["partialFilterExpression"].items()
    wanted = QUESTIONS[name].filter[field]
    assert condition == {"$exists": True}
    assert wanted is not None
    assert not isinstance(wanted, dict) or wanted.get("$exists") or None not in wanted.get("$in", [None])


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_server_takes_it(backend: MongoBackend, store: Collections, name: str) -> None:
    """It is answered by that index, in its order: nothing is sorted, and no collection is read."""
    backend.insert([NewRecord(kind="k", queue=queue) for queue in QUEUES for _ in range(50)], now=NOW)
    question = QUESTIONS[name]
    asked = store.jobs.find(question.filter).limit(10)
    asked = asked.sort(question.order) if question.order else asked
    asked = asked.hint(name) if question.hinted else asked
    plan = asked.explain().get("queryPlanner", {}).get("winningPlan")
    if plan is None or not list(_all(plan, "stage")):
        pytest.skip("this server does not explain its plans as MongoDB does")
    assert set(_all(plan, "indexName")) == {name}
    assert not {"SORT", "COLLSCAN"} & set(_all(plan, "stage"))


def _all(plan: Any, name: str) -> Iterator[Any]:
    """Yield every value of a name in a plan, however deep."""
    if isinstance(plan, dict):
        yield from [plan[name]] if name in plan else []
        for part in plan.values():
            yield from _all(part, name)
    elif isinstance(plan, list):
        for part in plan:
            yield from _all(part, name)
