"""Batches without transactions: if a process dies at any point, the batch is stored whole or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect
from tallystick import Filter, NewRecord, OutcomeUnknown, Unavailable
from tallystick_mongo import MongoBackend, insert_or_find, staging
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)


def _batch() -> list[NewRecord]:
    return [NewRecord(kind="k", unique_key=f"key {n}") for n in range(3)]


def _age(store: Collections) -> None:
    """Make every batch look a minute old."""
    old = ObjectId.from_datetime(datetime(2020, 1, 1, tzinfo=UTC))
    for batch in store.batches.find():
        store.batches.delete_one({"_id": batch["_id"]})
        store.batches.insert_one({**batch, "_id": old})
    store.jobs.update_many({"batch": {"$exists": True}}, {"$set": {"batch": old}})


def _visible(backend: MongoBackend) -> int:
    assert backend.stats().total == len(backend.list(Filter(), limit=9))
    return backend.stats().total


def _remains(store: Collections) -> tuple[int, int]:
    return store.batches.count_documents({}), store.jobs.count_documents({"batch": {"$exists": True}})


@pytest.mark.parametrize("sweeping", ["setup", "rescue"])
@pytest.mark.parametrize(
    ("dying", "stored"), [(("commit", "take_back"), 0), (("reveal",), 3)], ids=["before the commit", "after it"]
)
def test_batch_of_a_dead_process(
    backend: MongoBackend, store: Collections, dying: tuple[str, ...], stored: int, sweeping: str
) -> None:
    """A staged batch is invisible; the sweep reveals a committed one, and removes the others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in dying:
            patch.setattr(staging, name, _boom)
        with pytest.raises(Boom):
            backend.insert(_batch())
    assert _visible(backend) == 0
    assert backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1)) == []
    _age(store)
    if sweeping == "setup":
        backend.setup()
    else:
        backend.rescue(limit=1)
    assert _visible(backend) == stored
    assert _remains(store) == (0, 0)
    assert all(inserted.created is (stored == 0) for inserted in backend.insert(_batch()))


def test_a_lost_response_to_a_commit_that_was_revealed(backend: MongoBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost response, the writer returns its revealed jobs; if they are gone, it raises OutcomeUnknown."""
    commit = staging.commit

    def lost(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
        commit(store, batch, new_queues=new_queues)
        staging.resolve(store, batch, patience=0)
        store.jobs.delete_many({"queue": "gone"})
        raise AutoReconnect("the answer is lost")

    monkeypatch.setattr(staging, "commit", lost)
    assert all(inserted.created for inserted in backend.insert(_batch()))
    with pytest.raises(OutcomeUnknown):
        backend.insert([NewRecord(kind="k", queue="gone") for _ in range(2)])
    assert _visible(backend) == 3


def test_a_recent_batch_is_kept(backend: MongoBackend, store: Collections) -> None:
    """A rescue does not take back a recent batch, because its writer may still be alive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "commit", _boom)
        patch.setattr(staging, "take_back", _boom)
        with pytest.raises(Boom):
            backend.insert(_batch())
    backend.rescue(limit=1)
    assert _remains(store) == (1, 3)


def test_a_waiting_insert_takes_a_batch_back(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An insert waits for a key of an unfinished batch, then takes the batch back; its writer's commit fails."""
    monkeypatch.setattr(staging, "PATIENCE", 0.1)
    slow = ObjectId()
    staging.begin(store, slow, 1)
    insert_or_find._put(store, slow, {0: NewRecord(kind="slow", unique_key="key").stored(NOW)})
    [inserted] = backend.insert([NewRecord(kind="fast", unique_key="key")])
    assert inserted.created
    with pytest.raises(staging.TakenBack):
        staging.commit(store, slow, new_queues=True)
    assert [record.kind for record in backend.list(Filter(), limit=9)] == ["fast"]


def test_an_insert_reveals_a_committed_batch(backend: MongoBackend, store: Collections) -> None:
    """An insert that finds its key in a committed batch reveals the batch, and returns the duplicate."""
    done = ObjectId()
    staging.begin(store, done, 1)
    insert_or_find._put(store, done, {0: NewRecord(kind="first", unique_key="key").stored(NOW)})
    staging.commit(store, done, new_queues=True)
    [inserted] = backend.insert([NewRecord(kind="second", unique_key="key")])
    assert (inserted.created, inserted.record.kind) == (False, "first")
    assert _remains(store) == (0, 0)


def test_a_writer_whose_batch_is_taken_back_begins_again(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer whose batch is taken back tries again, and raises Unavailable after several tries."""
    commit, tries = staging.commit, []

    def taken_back(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
        tries.append(batch)
        if len(tries) < rounds:
            staging.take_back(store, batch)
        commit(store, batch, new_queues=new_queues)

    monkeypatch.setattr(staging, "commit", taken_back)
    rounds = 2
    assert all(inserted.created for inserted in backend.insert(_batch()))
    rounds = 99
    with pytest.raises(Unavailable, match="took it back"):
        backend.insert([NewRecord(kind="k"), NewRecord(kind="k")])
    assert (_visible(backend), _remains(store)) == (3, (0, 0))


def test_one_id_several_times(backend: MongoBackend) -> None:
    """If the first job of an id is a duplicate, the second is stored, and the third is a duplicate of the second."""
    backend.insert([NewRecord(kind="held", unique_key="a"), NewRecord(kind="held", unique_key="b")])
    first = NewRecord(kind="first", unique_key="a")
    batch = [first, NewRecord(kind="second", id=first.id), NewRecord(kind="third", id=first.id, unique_key="b")]
    results = backend.insert(batch)
    assert [(inserted.record.kind, inserted.created) for inserted in results] == [
        ("held", False),
        ("second", True),
        ("second", False),
    ]


def test_a_batch_is_cut_into_commands(backend: MongoBackend) -> None:
    """More jobs than one command allows are still one batch, with results in order."""
    batch = [NewRecord(kind="k") for _ in range(1_500)]
    assert [inserted.record.id for inserted in backend.insert(batch)] == [new.id for new in batch]
    assert backend.stats().total == 1_500


class Boom(Exception):
    """Raised where a process would die."""


def _boom(*args: Any, **kwargs: Any) -> None:
    raise Boom
