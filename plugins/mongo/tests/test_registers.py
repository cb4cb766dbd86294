"""Schedules, workers and meters as documents: damaged ones, several clients, and old ones that are removed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import Beat, MeterDelta, NewSchedule, NotSetUp
from tallystick_mongo import MongoBackend, meters
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def _schedules(backend: MongoBackend) -> None:
    new = [NewSchedule(name=name, rule="every 1 minute", kind="k", after=NOW) for name in ("bad", "good")]
    backend.put_schedules(new, now=NOW)


def _beat(name: str) -> Beat:
    return Beat(worker=name, host="h", pid=1, version="1", queues=("q",), concurrency=1, started_at=NOW)


def _delta(kind: str, minute: datetime = NOW, **numbers: Any) -> MeterDelta:
    return MeterDelta(minute=minute, queue="q", kind=kind, **numbers)


SCHEDULES: dict[str, dict[str, Any]] = {
    "rule a number": {"rule": 5},
    "kind empty": {"kind": ""},
    "priority too large": {"priority": 10**6},
    "window huge": {"window": 2**62},
    "tags text": {"tags": "t"},
    "tags of numbers": {"tags": [1]},
    "payload text": {"payload": "text"},
    "revision text": {"revision": "one"},
    "paused text": {"paused": "no"},
    "next_tick text": {"next_tick": "now"},
    "last_tick text": {"last_tick": "now"},
    "created_at missing": {"created_at": None},
    "unique_key a list": {"unique_key": ["k"]},
}


@pytest.mark.parametrize("change", SCHEDULES.values(), ids=SCHEDULES)
def test_a_damaged_schedule_hides_no_other(
    backend: MongoBackend, store: Collections, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    """It is skipped with a warning, does not fill a page, and can be stored again."""
    _schedules(backend)
    store.schedules.update_one({"_id": "bad"}, {"$set": change})
    assert [schedule.name for schedule in backend.schedules()] == ["good"]
    assert [schedule.name for schedule in backend.due_schedules(limit=1)] == ["good"]
    assert "the schedule 'bad' is damaged" in caplog.text
    _schedules(backend)
    assert [schedule.name for schedule in backend.schedules()] == ["bad", "good"]


def test_damaged_meta_of_a_schedule_is_read(backend: MongoBackend, store: Collections) -> None:
    """Meta that cannot be read becomes one entry that says so."""
    _schedules(backend)
    store.schedules.update_one({"_id": "bad"}, {"$set": {"meta": "oops"}})
    assert [dict(schedule.meta) for schedule in backend.schedules()] == [{"unreadable": "'oops'"}, {}]


def test_a_schedule_without_a_name_that_is_text_is_skipped(backend: MongoBackend, store: Collections) -> None:
    """A document with another `_id` hides no schedule."""
    _schedules(backend)
    store.schedules.insert_one({"_id": 5, "fired": "by hand"})
    assert len(backend.due_schedules(limit=9)) == len(backend.schedules()) == 2


@pytest.mark.parametrize("change", [{"beat": "{}"}, {"beat": 5}, {"seen_at": "now"}, {"ttl": "long"}, {"ttl": 2**62}])
def test_a_damaged_worker_hides_no_other(backend: MongoBackend, store: Collections, change: dict[str, Any]) -> None:
    """It is skipped, and its next beat replaces it."""
    for name in ("bad", "good"):
        backend.beat(_beat(name), ttl=MINUTE, now=NOW)
    store.workers.update_one({"_id": "bad"}, {"$set": change})
    assert [worker.worker for worker in backend.workers()] == ["good"]
    backend.beat(_beat("bad"), ttl=MINUTE, now=NOW)
    assert [worker.worker for worker in backend.workers()] == ["bad", "good"]


@pytest.mark.parametrize(
    "row", [5, {}, {"minute": "now"}, {"minute": NOW, "queue": 5, "kind": "k"}, {"minute": NOW, "queue": "q"}]
)
def test_a_damaged_row_hides_no_other(backend: MongoBackend, store: Collections, row: Any) -> None:
    """A row of meters without a minute, queue or kind is skipped."""
    backend.meter([_delta("k", completed=2)], now=NOW)
    store.meters.update_one({}, {"$set": {"rows.bad": row}})
    [meter] = backend.meters(NOW, NOW + HOUR, step=MINUTE)
    assert meter.completed == 2


@pytest.mark.parametrize("number", ["many", float("nan"), float("inf"), None, {}])
def test_a_damaged_number_counts_as_zero(backend: MongoBackend, store: Collections, number: object) -> None:
    """A value that is no finite number does not count."""
    backend.meter([_delta("k", completed=2, running=MINUTE)], now=NOW)
    document = store.meters.find_one()
    assert document is not None
    [key] = document["rows"]
    store.meters.update_one({}, {"$set": {f"rows.{key}.completed": number}})
    [meter] = backend.meters(NOW, NOW + HOUR, step=MINUTE)
    assert (meter.completed, meter.running) == (0, MINUTE)


@pytest.mark.parametrize("rows", [5, "oops", [], None])
def test_damaged_rows_hide_no_other(backend: MongoBackend, store: Collections, rows: object) -> None:
    """A document with damaged rows is skipped, and later numbers count."""
    backend.meter([_delta("k", completed=1)], now=NOW)
    store.meters.update_one({}, {"$set": {"rows": rows}})
    backend.meter([_delta("k", completed=2), _delta("k", completed=3)], now=NOW)
    [meter] = backend.meters(NOW, NOW + HOUR, step=MINUTE)
    assert meter.completed == 5


def test_calls_of_a_client_share_a_document(backend: MongoBackend, store: Collections, url: str) -> None:
    """A client has one document for ten minutes, and another client has its own. All numbers count."""
    with MongoBackend.from_url(url) as other:
        for client in (backend, backend, other):
            client.meter([_delta("k", completed=1)], now=NOW)
    backend.meter([_delta("k", completed=1)], now=NOW + 10 * MINUTE)
    assert store.meters.count_documents({}) == 3
    [meter] = backend.meters(NOW, NOW + HOUR, step=MINUTE)
    assert meter.completed == 4


def test_many_numbers_have_a_document_of_their_own(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large call does not share its document, so that no document outgrows its limit."""
    monkeypatch.setattr(meters, "_MANY", 3)
    for _ in range(2):
        backend.meter([_delta(f"k{n}", completed=1) for n in range(3)], now=NOW)
    assert store.meters.count_documents({}) == 2
    assert sum(meter.completed for meter in backend.meters(NOW, NOW + HOUR, step=HOUR)) == 6


def test_old_minutes_of_a_document_are_removed(backend: MongoBackend, store: Collections) -> None:
    """Only the old rows of a document are removed, and then the empty document."""
    backend.meter([_delta("k", NOW, completed=1), _delta("k", NOW + HOUR, completed=2)], now=NOW + HOUR)
    for later, left in ((HOUR, [2]), (2 * HOUR, [])):
        backend.meter([], now=NOW + timedelta(days=7) + later)
        assert [meter.completed for meter in backend.meters(NOW, NOW + 2 * HOUR, step=HOUR)] == left
    assert store.meters.count_documents({}) == 0


def test_registers_are_not_created_in_a_store_that_was_torn_down(backend: MongoBackend, url: str) -> None:
    """Calls that would create a collection notice that another client tore the store down."""
    _schedules(backend)
    with MongoBackend.from_url(url) as another:
        another.teardown()
        for call in (
            lambda: _schedules(backend),
            lambda: backend.beat(_beat("w"), ttl=MINUTE, now=NOW),
            lambda: backend.meter([_delta("k")], now=NOW),
            lambda: backend.advance([], now=NOW),
        ):
            with pytest.raises(NotSetUp):
                call()
        assert not [name for name in _collections(backend, another) if name.endswith(("schedules", "meters"))]


def _collections(*backends: MongoBackend) -> list[str]:
    store = backends[0]._connection.unchecked()
    return [name for name in store.database.list_collection_names() if name.startswith(store.jobs.name[:-5])]
