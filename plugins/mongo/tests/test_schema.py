from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
from tallystick import Claim, Complete, Filter, ForeignStore, NewRecord, NotSetUp, Severity
from tallystick_mongo import MongoBackend, schema
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def test_every_index_is_made(backend: MongoBackend, store: Collections) -> None:
    """After concurrent setups, every index exists once with its name."""
    threads = [Thread(target=backend.setup) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {index.document["name"] for index in schema.INDEXES} < store.jobs.index_information().keys()
    [found] = store.store.find()
    assert (found["_id"], found["version"]) == ("tallystick", schema.VERSION)


def test_a_foreign_collection_is_kept(url: str, store: Collections) -> None:
    """A nonempty collection without a version document is rejected and kept."""
    store.store.drop()
    store.jobs.insert_one({"_id": 1, "mine": True})
    with MongoBackend.from_url(url) as backend:
        with pytest.raises(ForeignStore, match="not created by Tallystick"):
            backend.setup()
        backend.teardown()
    assert store.jobs.find_one() == {"_id": 1, "mine": True}
    store.jobs.drop()


def test_a_newer_store_is_rejected(url: str, store: Collections) -> None:
    """Every call, including setup, rejects a store of a newer version."""
    store.store.update_one({}, {"$set": {"version": schema.VERSION + 1}})
    with MongoBackend.from_url(url) as backend:
        for call in (backend.setup, backend.queues, backend.teardown):
            with pytest.raises(NotSetUp, match="upgrade tallystick-mongo"):
                call()
        findings = {finding.name: finding for finding in backend.diagnose()}
    assert findings["schema version"].severity is Severity.FAULT
    store.store.update_one({}, {"$set": {"version": schema.VERSION}})


def test_setup_finishes_an_interrupted_teardown(url: str, store: Collections, backend: MongoBackend) -> None:
    """A store with version 0 is not set up; setup removes the remains and starts afresh."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    store.store.update_one({}, {"$set": {"version": 0}})
    with MongoBackend.from_url(url) as another:
        with pytest.raises(NotSetUp):
            another.queues()
        another.setup()
        assert list(another.list(Filter(), limit=9)) == []


def test_a_store_that_another_tore_down_is_noticed(url: str, backend: MongoBackend) -> None:
    """Each call that may change jobs notices that another client tore the store down, and works after a setup."""
    calls: list[Callable[[], object]] = [
        lambda: backend.insert([NewRecord(kind="k")]),
        lambda: backend.claim(["default"], limit=1, worker="w", lease=LEASE),
        lambda: backend.extend([Claim(UUID(int=1), 1)], lease=LEASE),
        lambda: backend.settle([Complete(Claim(UUID(int=1), 1))]),
        lambda: backend.rescue(limit=1),
        lambda: backend.pause("default"),
        lambda: backend.resume("default"),
        lambda: backend.wait(["default"], timeout=timedelta(0)),
    ]
    for call in calls:
        call()
    with MongoBackend.from_url(url) as another:
        another.teardown()
        for call in calls:
            with pytest.raises(NotSetUp):
                call()
        another.setup()
    for call in calls:
        call()


def test_queues_are_stored_again_after_a_new_setup(url: str, backend: MongoBackend) -> None:
    """If another client has set the store up afresh, a known queue is stored again."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    with MongoBackend.from_url(url) as another:
        another.teardown()
        another.setup()
        backend.insert([NewRecord(kind="k")], now=NOW)
        another.delete(Filter(), limit=1)
        assert [queue.name for queue in another.queues()] == ["default"]


def test_diagnose_names_wrong_indexes(backend: MongoBackend, store: Collections) -> None:
    """`diagnose` reports a missing and a changed index as faults, and no fault in a healthy store."""
    assert {finding.severity for finding in backend.diagnose()} <= {Severity.OK, Severity.WARNING}
    store.jobs.drop_index(schema.CLAIMS)
    store.jobs.drop_index(schema.DUE)
    store.jobs.create_index("due", name=schema.DUE)
    findings = {finding.name: finding for finding in backend.diagnose()}
    assert findings["indexes"].severity is Severity.FAULT
    assert findings["indexes"].found == f"missing: {schema.CLAIMS}; changed: {schema.DUE}"


def test_documents_can_be_read(backend: MongoBackend, store: Collections) -> None:
    """A document has the record's field names, and the payload's bytes unchanged."""
    [inserted] = backend.insert([NewRecord(kind="$where", payload=b"\0\xff", tags=("a.b",))], now=NOW)
    document = store.jobs.find_one()
    assert document is not None
    assert (document["_id"], document["kind"], document["payload"]) == (inserted.record.id, "$where", b"\0\xff")
    assert document["due"] == document["run_at"] == NOW
    assert "held_key" not in document
    assert "batch" not in document


def test_a_document_by_hand_blocks_no_job(backend: MongoBackend, store: Collections) -> None:
    """An incomplete document is listed if its id is a UUID, but not claimed, and does not block other jobs."""
    for id in (UUID(int=1), "by hand"):
        store.jobs.insert_one(
            {"_id": id, "queue": "default", "priority": 9, "due": NOW, "state": "pending", "attempt": 0}
        )
    [inserted] = backend.insert([NewRecord(kind="k")], now=NOW)
    assert [record.id for record in backend.list(Filter(), limit=9)] == [inserted.record.id, UUID(int=1)]
    claimed = backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
    assert [record.id for record in claimed] == [inserted.record.id]
    assert list(backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)) == []
