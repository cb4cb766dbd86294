"""Batches without transactions: a process may die at any place, and what it left is nothing, or the whole batch."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect
from tallystick import Filter, NewRecord, OutcomeUnknown, Unavailable
from tallystick_mongo import MongoBackend, inserting, staging
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)


def _batch() -> list[NewRecord]:
    return [NewRecord(kind="k", unique_key=f"key {n}") for n in range(3)]


def _age(store: Collections) -> None:
    """Make every batch an old one, as if a minute had passed."""
    old = ObjectId.from_datetime(datetime(2020, 1, 1, tzinfo=UTC))
    for batch in store.batches.find():
        store.batches.delete_one({"_id": batch["_id"]})
        store.batches.insert_one({**batch, "_id": old})
    store.jobs.update_many({"batch": {"$exists": True}}, {"$set": {"batch": old}})


def _visible(backend: MongoBackend) -> int:
    assert backend.stats().total == len(backend.list(Filter(), limit=9))
    return backend.stats().total


def _left(store: Collections) -> tuple[int, int]:
    return store.batches.count_documents({}), store.jobs.count_documents({"batch": {"$exists": True}})


@pytest.mark.parametrize("sweeping", ["setup", "rescue"])
@pytest.mark.parametrize(
    ("dying", "stored"), [(("commit", "take_back"), 0), (("reveal",), 3)], ids=["before the commit", "after it"]
)
def test_what_the_dead_left(
    backend: MongoBackend, store: Collections, dying: tuple[str, ...], stored: int, sweeping: str
) -> None:
    """A batch is not seen before it is revealed; the sweep reveals what was committed, and removes the rest."""
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
    assert _left(store) == (0, 0)
    assert all(answer.created is (stored == 0) for answer in backend.insert(_batch()))


def test_a_lost_answer_to_a_commit_that_others_went_on_with(
    backend: MongoBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the batch is gone when its writer looks, its jobs tell that they are stored, unless they are gone."""
    commit = staging.commit

    def lost(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
        commit(store, batch, new_queues=new_queues)
        staging.resolve(store, batch, patience=0)
        store.jobs.delete_many({"queue": "gone"})
        raise AutoReconnect("the answer is lost")

    monkeypatch.setattr(staging, "commit", lost)
    assert all(answer.created for answer in backend.insert(_batch()))
    with pytest.raises(OutcomeUnknown):
        backend.insert([NewRecord(kind="k", queue="gone") for _ in range(2)])
    assert _visible(backend) == 3


def test_a_young_batch_is_left_alone(backend: MongoBackend, store: Collections) -> None:
    """A rescue does not take back what somebody may be writing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "commit", _boom)
        patch.setattr(staging, "take_back", _boom)
        with pytest.raises(Boom):
            backend.insert(_batch())
    backend.rescue(limit=1)
    assert _left(store) == (1, 3)


def test_who_is_held_up_takes_a_batch_back(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that an unfinished batch holds is waited for, and then taken; the slow writer is told at its commit."""
    monkeypatch.setattr(staging, "PATIENCE", 0.1)
    slow = ObjectId()
    staging.begin(store, slow, 1)
    inserting._put(store, NOW, slow, {0: NewRecord(kind="slow", unique_key="key")})
    [answer] = backend.insert([NewRecord(kind="fast", unique_key="key")])
    assert answer.created
    with pytest.raises(staging.TakenBack):
        staging.commit(store, slow, new_queues=True)
    assert [record.kind for record in backend.list(Filter(), limit=9)] == ["fast"]


def test_who_meets_a_committed_batch_reveals_it(backend: MongoBackend, store: Collections) -> None:
    """A key that a committed batch holds is held: the duplicate is told so, and the batch can be seen from then on."""
    done = ObjectId()
    staging.begin(store, done, 1)
    inserting._put(store, NOW, done, {0: NewRecord(kind="first", unique_key="key")})
    staging.commit(store, done, new_queues=True)
    [answer] = backend.insert([NewRecord(kind="second", unique_key="key")])
    assert (answer.created, answer.record.kind) == (False, "first")
    assert _left(store) == (0, 0)


def test_a_writer_whose_batch_is_taken_back_begins_again(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken back once, it is stored at the second try; taken back again and again, nothing is."""
    commit, tries = staging.commit, []

    def taken_back(store: Collections, batch: ObjectId, *, new_queues: bool) -> None:
        tries.append(batch)
        if len(tries) < wanted:
            staging.take_back(store, batch)
        commit(store, batch, new_queues=new_queues)

    monkeypatch.setattr(staging, "commit", taken_back)
    wanted = 2
    assert all(answer.created for answer in backend.insert(_batch()))
    wanted = 99
    with pytest.raises(Unavailable, match="took it back"):
        backend.insert([NewRecord(kind="k"), NewRecord(kind="k")])
    assert (_visible(backend), _left(store)) == (3, (0, 0))


def test_one_id_several_times(backend: MongoBackend) -> None:
    """Where the first of an id meets a held key, the second is stored, and the third is told so, whatever its key."""
    backend.insert([NewRecord(kind="held", unique_key="a"), NewRecord(kind="held", unique_key="b")])
    first = NewRecord(kind="first", unique_key="a")
    batch = [first, NewRecord(kind="second", id=first.id), NewRecord(kind="third", id=first.id, unique_key="b")]
    answers = backend.insert(batch)
    assert [(answer.record.kind, answer.created) for answer in answers] == [
        ("held", False),
        ("second", True),
        ("second", False),
    ]


def test_a_batch_is_cut_into_commands(backend: MongoBackend) -> None:
    """More jobs than one command takes are one batch all the same, its answers in order."""
    batch = [NewRecord(kind="k") for _ in range(1_500)]
    assert [answer.record.id for answer in backend.insert(batch)] == [new.id for new in batch]
    assert backend.stats().total == 1_500


class Boom(Exception):
    """What is raised where a process would die."""


def _boom(*args: Any, **kwargs: Any) -> None:
    raise Boom
