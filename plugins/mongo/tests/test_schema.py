from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
from tallystick import Filter, ForeignStore, NewRecord, NotSetUp, Severity
from tallystick_mongo import MongoBackend, schema
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)


def test_every_index_is_made(backend: MongoBackend, store: Collections) -> None:
    """After setup by several at once each index is there, by its name and as it was asked for."""
    threads = [Thread(target=backend.setup) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {index.document["name"] for index in schema.INDEXES} < store.jobs.index_information().keys()
    [found] = store.store.find()
    assert (found["_id"], found["version"]) == ("tallystick", schema.VERSION)


def test_what_others_made_is_left_alone(url: str, store: Collections) -> None:
    """A collection with documents and no version beside it is refused, and kept."""
    store.store.drop()
    store.jobs.insert_one({"_id": 1, "mine": True})
    with MongoBackend.from_url(url) as backend:
        with pytest.raises(ForeignStore, match="not created by Tallystick"):
            backend.setup()
        backend.teardown()
    assert store.jobs.find_one() == {"_id": 1, "mine": True}
    store.jobs.drop()


def test_a_newer_store_is_refused(url: str, store: Collections) -> None:
    """A store of a later version is refused by every call, and by setup."""
    store.store.update_one({}, {"$set": {"version": schema.VERSION + 1}})
    with MongoBackend.from_url(url) as backend:
        for call in (backend.setup, backend.queues, backend.teardown):
            with pytest.raises(NotSetUp, match="upgrade tallystick-mongo"):
                call()
        findings = {finding.name: finding for finding in backend.diagnose()}
    assert findings["schema version"].severity is Severity.FAULT
    store.store.update_one({}, {"$set": {"version": schema.VERSION}})


def test_a_teardown_that_died_is_gone_on_with(url: str, store: Collections, backend: MongoBackend) -> None:
    """While its version is 0 a store is not set up; setup removes what is left, and begins afresh."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    store.store.update_one({}, {"$set": {"version": 0}})
    with MongoBackend.from_url(url) as another:
        with pytest.raises(NotSetUp):
            another.queues()
        another.setup()
        assert list(another.list(Filter(), limit=9)) == []


def test_a_store_that_another_tore_down_is_noticed(url: str, backend: MongoBackend) -> None:
    """A claim looks, each time, whether there is a store."""
    with MongoBackend.from_url(url) as another:
        another.teardown()
    with pytest.raises(NotSetUp):
        backend.insert([NewRecord(kind="k")])


def test_queues_of_a_store_that_was_made_anew_are_noted(url: str, backend: MongoBackend) -> None:
    """A client that knows a queue notes it again where another has set the store up afresh meanwhile."""
    backend.insert([NewRecord(kind="k")], now=NOW)
    with MongoBackend.from_url(url) as another:
        another.teardown()
        another.setup()
        backend.insert([NewRecord(kind="k")], now=NOW)
        another.delete(Filter(), limit=1)
        assert [queue.name for queue in another.queues()] == ["default"]


def test_the_doctor_names_what_is_wrong(backend: MongoBackend, store: Collections) -> None:
    """A missing index and one that is not as made are faults; on a whole store nothing is one."""
    assert {finding.severity for finding in backend.diagnose()} <= {Severity.OK, Severity.WARNING}
    store.jobs.drop_index(schema.CLAIMS)
    store.jobs.drop_index(schema.DUE)
    store.jobs.create_index("due", name=schema.DUE)
    findings = {finding.name: finding for finding in backend.diagnose()}
    assert findings["indexes"].severity is Severity.FAULT
    assert findings["indexes"].found == f"missing: {schema.CLAIMS}; changed: {schema.DUE}"


def test_documents_can_be_read(backend: MongoBackend, store: Collections) -> None:
    """A document has the record's fields by their names, and the payload byte for byte."""
    [answer] = backend.insert([NewRecord(kind="$where", payload=b"\0\xff", tags=("a.b",))], now=NOW)
    document = store.jobs.find_one()
    assert document is not None
    assert (document["_id"], document["kind"], document["payload"]) == (answer.record.id, "$where", b"\0\xff")
    assert document["due"] == document["run_at"] == NOW
    assert "held_key" not in document
    assert "batch" not in document


def test_a_document_by_hand_holds_nobody_up(backend: MongoBackend, store: Collections) -> None:
    """What is no job is listed where its id is one, and not claimed; the jobs behind it are handed out."""
    lease = timedelta(minutes=1)
    for id in (UUID(int=1), "by hand"):
        store.jobs.insert_one(
            {"_id": id, "queue": "default", "priority": 9, "due": NOW, "state": "pending", "attempt": 0}
        )
    [answer] = backend.insert([NewRecord(kind="k")], now=NOW)
    assert [record.id for record in backend.list(Filter(), limit=9)] == [answer.record.id, UUID(int=1)]
    claimed = backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW)
    assert [record.id for record in claimed] == [answer.record.id]
    assert list(backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW)) == []
