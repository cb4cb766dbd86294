"""Restores of whole records: batches of dead processes, batches of other clients, and repeated writes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from tallystick import FINAL, AttemptError, Failure, InvalidArgument, NewRecord, Record, State
from tallystick_mongo import MongoBackend, staging
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)
ERROR = Failure("E", "m")


def _records() -> list[Record]:
    return [_whole(state, unique_key=f"key {state}", unique_until="purged") for state in State]


def _whole(state: State = State.PENDING, **fields: Any) -> Record:
    times = {"lease_until": NOW if state is State.RUNNING else None, "finished_at": NOW if state in FINAL else None}
    errors = {"last_error": ERROR, "errors": (AttemptError(1, NOW, ERROR),)}
    return NewRecord(kind="k").stored(NOW)._replace(state=state, attempt=1, **times, **errors, **fields)  # type: ignore[arg-type]


def test_a_first_try_that_fails_leaves_nothing(backend: MongoBackend, store: Collections) -> None:
    """A restore that finds stored ids and held keys stores the others as if it had looked first."""
    stored = _whole(State.COMPLETED, unique_key="key")
    backend.restore([stored], now=NOW)
    again = stored._replace(unique_until="purged")
    final = _whole(State.CANCELLED, unique_key="key", unique_until="purged")
    assert list(backend.restore([again, final, _whole()], now=NOW)) == [False, True, True]
    assert store.jobs.count_documents({"held_key": "key"}) == 1
    assert store.jobs.count_documents({"state": "hidden"}) == store.batches.count_documents({}) == 0


class Boom(BaseException):
    """The process dies here."""


def _boom(*_: object, **__: object) -> None:
    raise Boom


@pytest.mark.parametrize(
    ("dying", "stored"), [(("commit", "take_back"), 0), (("reveal",), 6)], ids=["before the commit", "after it"]
)
def test_a_restore_of_a_dead_process(
    backend: MongoBackend, store: Collections, dying: tuple[str, ...], stored: int
) -> None:
    """A staged restore is invisible. Another restore reveals a committed one in its states, or removes the others."""
    records = _records()
    with pytest.MonkeyPatch.context() as patch:
        for name in dying:
            patch.setattr(staging, name, _boom)
        with pytest.raises(Boom):
            backend.restore(records, now=NOW)
    assert backend.stats(now=NOW).total == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "PATIENCE", 0.0)
        assert sum(backend.restore(records, now=NOW)) == len(records) - stored
    assert backend.get([record.id for record in records]) == {record.id: record for record in records}
    assert store.jobs.count_documents({"$or": [{"batch": {"$exists": True}}, {"restored": {"$exists": True}}]}) == 0
    waiting = {document["_id"] for document in store.jobs.find({"due": {"$exists": True}})}
    assert waiting == {record.id for record in records if record.state in (State.PENDING, State.RETRYING)}


def test_a_key_in_the_batch_of_another_client(backend: MongoBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore finishes the committed batch of another client before it decides who holds a key."""
    other = [NewRecord(kind="k", unique_key="key"), NewRecord(kind="k")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "reveal", _boom)
        with pytest.raises(Boom):
            backend.insert(other, now=NOW)
    monkeypatch.setattr(staging, "PATIENCE", 0.0)
    with pytest.raises(InvalidArgument, match="another job holds the unique key"):
        backend.restore([_whole(unique_key="key")], now=NOW)
    assert backend.stats(now=NOW).total == 2


def test_a_key_that_is_taken_between_the_steps(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another client takes a key after a restore has looked for it, a final record is stored without it."""
    find = type(store.jobs).find
    missed: list[ObjectId] = []

    def find_late(*args: Any, **kwargs: Any) -> Any:
        found: Any = find(*args, **kwargs)
        if not missed:
            missed.append(ObjectId())
            found = list(found)
            backend.insert([NewRecord(kind="other", queue="k", unique_key="key")], now=NOW)
        return found

    [stored] = backend.insert([NewRecord(kind="k", queue="k")], now=NOW)
    record = _whole(State.COMPLETED, unique_key="key", unique_until="purged")
    monkeypatch.setattr(type(store.jobs), "find", find_late)
    records = [record, _whole(), _whole(id=stored.record.id)]
    assert list(backend.restore(records, now=NOW)) == [True, True, False]
    assert backend.stats(now=NOW).total == 4
    [again] = backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)
    assert again.record.kind == "other"
