"""Writes that the driver repeats after a lost response, and that the server applies again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tallystick import Advance, Changes, Complete, Filter, Hold, NewRecord, NewSchedule, State
from tallystick_mongo import MongoBackend
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)
LEASE = timedelta(minutes=1)


@pytest.fixture
def twice(store: Collections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do each retryable write twice, and return the second result."""
    collection = type(store.jobs)
    for name in ("bulk_write", "find_one_and_update", "insert_many", "insert_one", "update_many", "update_one"):
        monkeypatch.setattr(collection, name, _repeated(getattr(collection, name)))


def _repeated(write: Any) -> Any:
    def repeated(*args: Any, **kwargs: Any) -> Any:
        write(*args, **kwargs)
        return write(*args, **kwargs)

    return repeated


@pytest.mark.usefixtures("twice")
@pytest.mark.parametrize("count", [1, 3])
def test_results_are_those_of_the_first_write(backend: MongoBackend, count: int) -> None:
    """All calls of a job's life return the same as if each write had been done once."""
    for _ in range(2):  # into a new queue, then into a known one
        new = [NewRecord(kind="k", unique_key=f"key {n}") for n in range(count)]
        assert [inserted.created for inserted in backend.insert(new, now=NOW)] == [True] * count
        claims = [record.claim for record in backend.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW)]
        assert len(claims) == count
        assert list(backend.extend(claims, lease=LEASE, now=NOW)) == [Hold.HELD] * count
        assert list(backend.settle([Complete(claim) for claim in claims], now=NOW)) == [True] * count
        assert len(backend.requeue(Filter(states=[State.COMPLETED]), limit=9, now=NOW)) == count
        assert len(backend.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW)) == count
        assert len(backend.rescue(limit=9, now=NOW + LEASE)) == count
        assert len(backend.update(Filter(), Changes(priority=5), limit=9, now=NOW)) == count
        assert len(backend.cancel(Filter(), limit=9, now=NOW)) == count
        assert [inserted.created for inserted in backend.insert(new, now=NOW)] == [False] * count
        records = backend.list(Filter(), limit=9)
        assert len(backend.delete(Filter(), limit=9)) == count
        assert list(backend.restore(records, now=NOW)) == [True] * count
        assert list(backend.restore(records, now=NOW)) == [False] * count
        assert len(backend.delete(Filter(), limit=9)) == count


@pytest.mark.usefixtures("twice")
def test_a_holder_changes_once(backend: MongoBackend) -> None:
    """Inserts that meet a holder, or free its key, return the same as if each write had been done once."""
    new = [NewRecord(kind="k", unique_key=key, unique_until=LEASE) for key in ("a", "b")]
    backend.insert(new, now=NOW)
    again = [replace(each, id=uuid4(), payload=b"new", on_conflict="replace") for each in new]
    assert [result.applied for result in backend.insert(again, now=NOW)] == ["replace"] * 2
    assert [record.payload for record in backend.get([each.id for each in new]).values()] == [b"new"] * 2
    assert [result.created for result in backend.insert(again, now=NOW + LEASE)] == [True] * 2


@pytest.mark.usefixtures("twice")
def test_a_schedule_fires_once(backend: MongoBackend) -> None:
    """Each call about schedules returns the same as if each write had been done once."""
    new = NewSchedule(name="s", rule="every 1 minute", kind="k", after=NOW - LEASE)
    for _ in range(2):
        assert [schedule.revision for schedule in backend.put_schedules([new], now=NOW)] == [1]
    fires = Advance(name="s", revision=1, ticks=(NOW,), next_tick=NOW + LEASE)
    assert backend.advance([fires], now=NOW) == [True]
    assert backend.advance([Advance(name="s", revision=2, next_tick=NOW + LEASE, paused=True)], now=NOW) == [True]
    assert [(each.revision, each.paused) for each in backend.schedules()] == [(3, True)]
    assert len(backend.list(Filter(), limit=9)) == 1
