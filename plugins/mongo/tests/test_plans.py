"""Which index each question is answered by, where the server explains its plans as MongoDB does."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.cursor import Cursor
from windlass import NewRecord, State
from windlass_mongo import MongoBackend, queries, schema
from windlass_mongo.collections import Collections, Jobs
from windlass_mongo.documents import Document

NOW = datetime(2031, 5, 17, tzinfo=UTC)
QUEUES = ["a", "b"]

QUESTIONS: dict[str, Callable[[Jobs], Cursor[Document]]] = {
    schema.CLAIMS: lambda jobs: (
        jobs.find({**queries.due(NOW), "queue": {"$in": QUEUES}})
        .sort(queries.CLAIMING_ORDER)
        .limit(10)
        .hint(schema.CLAIMS)
    ),
    schema.DUE: lambda jobs: jobs.find(queries.waits(QUEUES)).sort("due").limit(1).hint(schema.DUE),
    "windlass_leases": lambda jobs: jobs.find(queries.expired(NOW)).sort("lease_until").limit(10),
    "windlass_finished": lambda jobs: jobs.find(queries.finished([State.COMPLETED], NOW)).limit(10),
    "windlass_held_keys": lambda jobs: jobs.find({"held_key": {"$in": ["k"]}}),
}


@pytest.mark.parametrize("index", QUESTIONS)
def test_each_question_has_its_index(backend: MongoBackend, store: Collections, index: str) -> None:
    """It is answered by that index, in its order: nothing is sorted, and no collection is read."""
    backend.insert([NewRecord(kind="k", queue=queue) for queue in QUEUES for _ in range(50)], now=NOW)
    plan = QUESTIONS[index](store.jobs).explain().get("queryPlanner", {}).get("winningPlan")
    if plan is None or not list(_all(plan, "stage")):
        pytest.skip("this server does not explain its plans as MongoDB does")
    assert set(_all(plan, "indexName")) == {index}
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
