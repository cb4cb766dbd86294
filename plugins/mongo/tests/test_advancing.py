"""Each tick fires once, wherever a client dies or stalls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from tallystick import Advance, Complete, Filter, NewRecord, NewSchedule, OutcomeUnknown, Schedule, State
from tallystick_mongo import MongoBackend, advancing, staging
from tallystick_mongo import insert_or_find as insert_or_find_module
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICKS = (NOW - MINUTE, NOW)
LEASE = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the writer of an open batch."""
    monkeypatch.setattr(staging, "PATIENCE", 0.0)


@pytest.fixture
def schedule(backend: MongoBackend) -> Schedule:
    [stored] = backend.put_schedules([new()], now=NOW)
    return stored


def new(**changes: Any) -> NewSchedule:
    values: dict[str, Any] = {"name": "s", "rule": "every 1 minute", "kind": "k", "after": NOW - 2 * MINUTE}
    return NewSchedule(**(values | changes))


def fired(schedule: Schedule, *ticks: datetime) -> Advance:
    return Advance(name="s", revision=schedule.revision, ticks=ticks or TICKS, next_tick=NOW + MINUTE)


def kinds(backend: MongoBackend) -> list[str]:
    return [record.kind for record in backend.list(Filter(), limit=9)]


def remains(store: Collections) -> tuple[int, int]:
    """Return the numbers of hidden jobs and of unfinished advances."""
    unfinished = {"$or": [{"staging": {"$exists": True}}, {"fired": {"$exists": True}}]}
    return store.jobs.count_documents({"batch": {"$exists": True}}), store.schedules.count_documents(unfinished)


class Boom(BaseException):
    """Raised where a process would die."""


def dies(*args: Any, **kwargs: Any) -> None:
    raise Boom


def die_at(backend: MongoBackend, schedule: Schedule, *names: str) -> None:
    """Advance, and die at the first of these functions."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(staging if hasattr(staging, name) else advancing, name, dies)
        with pytest.raises(Boom):
            backend.advance([fired(schedule)], now=NOW)


def run_all(backend: MongoBackend) -> None:
    """Complete every due job, and purge its record."""
    claimed = backend.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW)
    backend.settle([Complete(record.claim) for record in claimed], now=NOW)
    backend.purge([State.COMPLETED], before=NOW + MINUTE, limit=9)


@pytest.mark.parametrize("last", [("insert_or_find", "take_back"), ("_is_moved", "take_back")])
def test_a_client_that_dies_before_the_commit_fires_nothing(
    backend: MongoBackend, store: Collections, schedule: Schedule, last: tuple[str, ...]
) -> None:
    """Another client fires the same ticks, once, and no hidden job is left."""
    die_at(backend, schedule, *last)
    assert kinds(backend) == []
    assert list(backend.due_schedules(limit=1)) == [schedule]
    assert backend.advance([fired(schedule)], now=NOW) == [True]
    assert kinds(backend) == ["k", "k"]
    assert remains(store) == (0, 0)


FINISHERS: dict[str, Callable[[MongoBackend], object]] = {
    "due_schedules": lambda backend: backend.due_schedules(limit=1),
    "advance": lambda backend: backend.advance([]),
    "remove": lambda backend: backend.remove_schedules(["s"]),
}


@pytest.mark.parametrize("finish", FINISHERS.values(), ids=FINISHERS)
def test_a_client_that_dies_after_the_commit_has_fired(
    backend: MongoBackend, store: Collections, schedule: Schedule, finish: Callable[[MongoBackend], object]
) -> None:
    """The next call makes the jobs visible, even if it removes the schedule."""
    die_at(backend, schedule, "finish")
    assert backend.schedules()[0].last_tick == NOW
    assert kinds(backend) == []
    finish(backend)
    assert kinds(backend) == ["k", "k"]
    assert [queue.name for queue in backend.queues()] == ["default"]
    assert remains(store) == (0, 0)
    assert backend.advance([fired(schedule)], now=NOW) == [False]


@pytest.mark.parametrize("change", ["advance", "put", "pause", "remove", "put again"])
def test_a_slow_client_fires_nothing_after_a_change(
    backend: MongoBackend, store: Collections, schedule: Schedule, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A client that stalls before the commit rejects the advance if the schedule has changed."""
    is_moved = advancing._is_moved

    def slow(*args: Any) -> bool:
        monkeypatch.setattr(advancing, "_is_moved", is_moved)
        if change == "advance":
            assert backend.advance([fired(schedule)], now=NOW) == [True]
            run_all(backend)
        elif change == "put":
            backend.put_schedules([new(kind="other")], now=NOW)
        elif change == "pause":
            backend.advance([Advance(name="s", revision=1, next_tick=NOW, paused=True)], now=NOW)
        else:
            backend.remove_schedules(["s"])
        if change == "put again":
            backend.put_schedules([new(kind="other")], now=NOW)
        return is_moved(*args)

    monkeypatch.setattr(advancing, "_is_moved", slow)
    again = change == "put again"  # its revision is 1 again, so the advance applies to the new schedule
    assert backend.advance([fired(schedule)], now=NOW) == [again]
    assert kinds(backend) == (["other", "other"] if again else [])
    assert remains(store) == (0, 0)


def test_a_batch_of_a_slow_client_is_replaced(
    backend: MongoBackend, store: Collections, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that stalls before it stages its jobs cannot commit them after another client took its place."""
    insert_or_find = insert_or_find_module.insert_or_find

    def slow(*args: Any) -> Any:
        monkeypatch.setattr(advancing, "insert_or_find", insert_or_find)
        assert backend.advance([fired(schedule)], now=NOW) == [True]
        run_all(backend)
        return insert_or_find(*args)

    monkeypatch.setattr(advancing, "insert_or_find", slow)
    assert backend.advance([fired(schedule)], now=NOW) == [False]
    assert kinds(backend) == []
    assert remains(store) == (0, 0)


def test_an_insert_takes_an_open_advance_back(backend: MongoBackend, store: Collections) -> None:
    """An insert that needs the unique key of a staged job stores its own, and the tick then inserts none."""
    [schedule] = backend.put_schedules([new(unique_key="key")], now=NOW)
    die_at(backend, schedule, "_is_moved", "take_back")
    [inserted] = backend.insert([NewRecord(kind="other", unique_key="key")], now=NOW)
    assert inserted.created
    assert backend.advance([fired(schedule)], now=NOW) == [True]
    assert kinds(backend) == ["other"]
    assert remains(store) == (0, 0)


def test_an_insert_finishes_a_committed_advance(backend: MongoBackend, store: Collections) -> None:
    """An insert that needs the unique key of a committed job returns this job."""
    [schedule] = backend.put_schedules([new(unique_key="key")], now=NOW)
    die_at(backend, schedule, "finish")
    [inserted] = backend.insert([NewRecord(kind="other", unique_key="key")], now=NOW)
    assert (inserted.created, inserted.record.kind) == (False, "k")
    assert remains(store) == (0, 0)


def test_a_sweep_keeps_an_open_advance(backend: MongoBackend, store: Collections, schedule: Schedule) -> None:
    """A recent batch of an advance is open, so a rescue does not delete its jobs."""
    die_at(backend, schedule, "_is_moved", "take_back")
    backend.rescue(limit=1, now=NOW)
    assert remains(store) == (2, 1)


def test_a_failure_after_applied_advances_is_unknown(
    backend: MongoBackend, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a later advance fails, the call reports that earlier ones may have taken effect."""
    backend.put_schedules([new(name="t")], now=NOW)
    other = Advance(name="t", revision=1, ticks=TICKS, next_tick=None)
    is_begun, calls = advancing._is_begun, []

    def lost(*args: Any) -> bool:
        calls.append(args)
        if len(calls) > 1:
            raise PyMongoError("no server")
        return is_begun(*args)

    monkeypatch.setattr(advancing, "_is_begun", lost)
    with pytest.raises(OutcomeUnknown, match="1 advances were applied"):
        backend.advance([fired(schedule), other], now=NOW)
