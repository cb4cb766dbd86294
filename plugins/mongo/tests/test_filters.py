"""The records that each filter selects and each mapping keeps, on mongomock and on a server.

Only the server is tested for claims, leases and races, because mongomock has no lock.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import mongomock
import pytest
from bson import CodecOptions, ObjectId, UuidRepresentation
from pymongo import MongoClient
from tallystick import CLAIMABLE, FINAL, Failure, Filter, NewRecord, Queue, Record, State
from tallystick.backends.selection import claiming_order
from tallystick_mongo import counting, documents, queries, updates
from tallystick_mongo.error_fields import described

NOW = datetime(2031, 5, 17, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALL = ObjectId()

Jobs = Any
"""A collection of pymongo or mongomock, which have the same methods but no common type."""


@pytest.fixture(params=["mongomock", "server"])
def jobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """Make an empty collection."""
    options = CodecOptions(tz_aware=True, tzinfo=UTC, uuid_representation=UuidRepresentation.STANDARD)  # type: ignore[var-annotated]  # a document is a dict
    if request.param == "mongomock":
        monkeypatch.setattr("mongomock.collection.BSON", None)  # its encoding lacks our options, so it rejects UUIDs
        yield mongomock.MongoClient(tz_aware=True).db.jobs
        return
    with MongoClient[dict[str, Any]](request.getfixturevalue("mongo_url")) as client:
        collection = client["filters"].get_collection(uuid4().hex, options)
        yield collection
        collection.drop()


def every_state(jobs: Jobs) -> list[Record]:
    """For each state and two queues, store a job due an hour ago and one due in an hour; return the records."""
    numbers = count()
    records = [
        NewRecord(kind=f"k{next(numbers) % 3}", queue=queue, run_at=NOW + shift, tags=("t", queue))
        .stored(NOW - 2 * HOUR)
        ._replace(
            state=state,
            lease_until=NOW + shift if state is State.RUNNING else None,
            finished_at=NOW + shift if state in FINAL else None,
        )
        for state in State
        for queue in ("a", "b")
        for shift in (-HOUR, HOUR)
    ]
    for record in records:
        document = documents.inserted(record, None, CALL)
        if record.state not in CLAIMABLE:
            del document["due"]
        jobs.insert_one(document)
    return records


SELECTIONS: dict[str, tuple[queries.Query, Callable[[Record], bool]]] = {
    "due": (queries.due(NOW), lambda r: r.state in CLAIMABLE and r.run_at <= NOW),
    "waits": (queries.waits(["b", "c"]), lambda r: r.state in CLAIMABLE and r.queue == "b"),
    "expired": (queries.expired(NOW), lambda r: r.lease_until is not None and r.lease_until <= NOW),
    "finished": (
        queries.finished([State.COMPLETED, State.CANCELLED], NOW),
        lambda r: r.state in (State.COMPLETED, State.CANCELLED) and (r.finished_at or NOW) < NOW,
    ),
    "finished at that moment": (queries.finished(sorted(FINAL), NOW - HOUR), lambda r: False),
    "cancellable": (queries.CANCELLABLE, lambda r: r.state not in FINAL),
    "deletable": ({"state": queries.DELETABLE}, lambda r: r.state is not State.RUNNING),
    "requeueable": ({"state": queries.REQUEUEABLE}, lambda r: r.state in FINAL or r.state is State.RETRYING),
    "of a state": (
        queries.fitting(Filter(states=[State.RUNNING]), queries.CANCELLABLE),
        lambda r: r.state is State.RUNNING,
    ),
    "of a kind and queue": (
        queries.fitting(Filter(kinds=["k1", "k2"], queues=["a"]), {"state": queries.VISIBLE}),
        lambda r: r.kind in ("k1", "k2") and r.queue == "a",
    ),
    "with a tag": (queries.fitting(Filter(tags=["b"]), {"state": queries.VISIBLE}), lambda r: "b" in r.tags),
    "of no queue": (queries.fitting(Filter(queues=[]), {"state": queries.VISIBLE}), lambda r: False),
    "of no filter": (queries.fitting(Filter(), {"state": queries.VISIBLE}), lambda r: True),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_filter_selects(jobs: Jobs, name: str) -> None:
    """Each filter selects exactly the records that the contract requires."""
    query, fits = SELECTIONS[name]
    records = every_state(jobs)
    found = {document["_id"] for document in jobs.find(query)}
    assert found == {record.id for record in records if fits(record)}


TEXTS = ["E", "e", "a.c", "abc", "%", "\0", "\n", "\ud800", "\udc00", "é", "Ã", "\U0001f600", "x" * 300, "$m", "\\"]
MILLISECOND = timedelta(milliseconds=1)
NEW_FILTERS = [
    *(Filter(error_text=text) for text in TEXTS if len(text) < 256),
    *(Filter(error_types=[name]) for name in ("E", "e", "abc", "é", "$m", "absent")),
    Filter(error_types=["E", "é"], states=[State.DISCARDED]),
    Filter(workers=["E", "a.c"]),
    Filter(unique_keys=["abc", "$m"]),
    Filter(created_since=NOW, created_until=NOW + 3 * MILLISECOND),
    Filter(created_since=NOW + MILLISECOND / 2, created_until=NOW + 5 * MILLISECOND / 2),
    Filter(finished_since=NOW + MILLISECOND),
    Filter(finished_until=NOW + 4 * MILLISECOND),
    Filter(finished_since=NOW + MILLISECOND, finished_until=NOW + MILLISECOND),
    Filter(states=[State.COMPLETED, State.DISCARDED]),
]


@pytest.mark.parametrize("filter", NEW_FILTERS, ids=ascii)
def test_a_filter_fits_as_in_the_contract(jobs: Jobs, filter: Filter) -> None:
    """Each field selects the records that `Filter.fits` selects, with any text and within a millisecond."""
    records = []
    for n, text in enumerate(TEXTS):
        name = text if text.isprintable() and len(text) < 256 else None
        now = NOW + n * MILLISECOND
        record = (
            NewRecord(kind="k", unique_key=name)
            .stored(now)
            ._replace(
                state=State.DISCARDED if n % 2 else State.RETRYING,
                finished_at=now if n % 2 else None,
                worker=name,
                last_error=Failure(text, f"{text} {TEXTS[n - 1]}", "traceback"),
            )
        )
        records.append(record)
        records.append(NewRecord(kind="k").stored(now))
    for record in records:
        error = described(record.last_error) if record.last_error else {}
        document = documents.inserted(record._replace(last_error=None), None, CALL)
        jobs.insert_one({**document, **error, "held_key": str(record.id)})
    found = {document["_id"] for document in jobs.find(queries.fitting(filter, {"state": queries.VISIBLE}))}
    assert found == {record.id for record in records if filter.fits(record)}


def test_ids_restrict_a_filter(jobs: Jobs) -> None:
    """A query can be restricted to ids, to ids below one, and to all ids except some."""
    ids = sorted(record.id for record in every_state(jobs))

    def found(query: queries.Query) -> list[UUID]:
        return [document["_id"] for document in jobs.find(query).sort("_id", 1)]

    assert found(queries.among(ids[:3], {})) == ids[:3]
    assert found(queries.among(None, {}, below=ids[4])) == ids[:4]
    assert found(queries.among(ids[2:6], {}, below=ids[4])) == ids[2:4]
    assert found(queries.among(None, {})) == ids
    assert found(queries.but(ids[1:], {})) == ids[:1]
    assert found(queries.holders([ids[0]], ["no key"])) == ids[:1]


def test_jobs_are_found_in_the_order_of_claims(jobs: Jobs) -> None:
    """Jobs are ordered by priority, then due time, then id."""
    order = [(0, 2), (5, 2), (5, 1), (-1, 0), (0, 2)]
    new = [NewRecord(kind="k", priority=priority, run_at=NOW + hours * HOUR) for priority, hours in order]
    records = [record.stored(NOW) for record in new]
    jobs.insert_many([documents.inserted(record, None, CALL) for record in reversed(records)])
    found = [document["_id"] for document in jobs.find().sort(queries.CLAIMING_ORDER)]
    assert found == [record.id for record in sorted(records, key=claiming_order)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"state": State.RUNNING, "worker": "w", "lease_until": NOW, "attempted_at": NOW, "attempt": 3},
        {"state": State.DISCARDED, "last_error": Failure("E", "$m", "tb"), "finished_at": NOW},
        {"state": State.COMPLETED, "result": b"\0\xff", "finished_at": NOW, "cancel_requested": True},
    ],
    ids=["pending", "running", "discarded", "completed"],
)
def test_a_record_is_the_same_when_it_is_read(jobs: Jobs, changes: dict[str, Any]) -> None:
    """A record read from its document equals the stored record in every field."""
    new = NewRecord(kind="k", payload=b"\0{}", run_at=NOW + HOUR, priority=-7, unique_key="$key", tags=("a", "b"))
    record = new.stored(NOW)._replace(**changes)
    document = documents.inserted(record, None, CALL)
    if record.last_error is not None:
        document["last_error"] = record.last_error.to_json()
    jobs.insert_one(document)
    assert [documents.record(found) for found in jobs.find()] == [record]


def test_a_hidden_job_is_not_seen(jobs: Jobs) -> None:
    """A staged job of an uncommitted batch is visible only in its batch."""
    batch, record = ObjectId(), NewRecord(kind="k").stored(NOW)
    jobs.insert_one(documents.inserted(record, batch, CALL))
    assert jobs.count_documents(queries.staged(batch)) == 1
    assert jobs.count_documents(queries.inserted_by(CALL, [record.id])) == 1
    for query in (queries.due(NOW), queries.waits(["default"]), {"state": queries.VISIBLE}):
        assert jobs.count_documents(query) == 0


def test_counts(jobs: Jobs) -> None:
    """Counts by queue, kind and state, due jobs and the oldest due time agree with the records."""
    records = every_state(jobs)
    stats = counting.stats(jobs.aggregate(queries.counts(NOW)), [Queue("a", paused=True), Queue("empty", paused=False)])
    due = [record for record in records if record.state in CLAIMABLE and record.run_at <= NOW]
    assert stats.total == len(records)
    assert stats.by_state == {state: sum(record.state is state for record in records) for state in State}
    assert stats.by_kind == {kind: sum(record.kind == kind for record in records) for kind in ("k0", "k1", "k2")}
    for name in ("a", "b"):
        of_queue = [record for record in due if record.queue == name]
        found = stats.by_queue[name]
        assert (found.total, found.due, found.oldest_due) == (
            len(records) // 2,
            len(of_queue),
            min(record.run_at for record in of_queue),
        )
    assert [stats.by_queue[name].paused for name in ("a", "b", "empty")] == [True, False, False]
    assert stats.by_queue["empty"].total == 0


def test_a_claim_writes_the_attempt(jobs: Jobs) -> None:
    """A claim's update makes the job no longer due, and keeps the guard of its attempt true."""
    record = NewRecord(kind="k").stored(NOW)
    jobs.insert_one(documents.inserted(record, None, CALL))
    jobs.update_one(queries.due(NOW), updates.claimed(1, "w", NOW + HOUR, NOW))
    assert jobs.count_documents(queries.due(NOW)) == 0
    [found] = jobs.find(queries.current(1))
    assert documents.record(found) == record._replace(
        state=State.RUNNING, attempt=1, worker="w", lease_until=NOW + HOUR, attempted_at=NOW
    )
    assert jobs.count_documents(queries.current(2)) == 0
