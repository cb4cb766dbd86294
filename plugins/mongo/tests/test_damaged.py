"""One damaged document does not affect other jobs, calls or commands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Int64, ObjectId, decode, encode
from bson.datetime_ms import DatetimeMS
from damage import assert_harmless, fill
from tallystick import BackendError, Failure, Filter, NewRecord, Retry, State
from tallystick_mongo import MongoBackend, documents
from tallystick_mongo.collections import Collections
from tallystick_mongo.damaged import is_whole

PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2901, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=1)
RUNNING = {"state": "running", "attempt": 1, "lease_until": PAST, "due": None}
GONE = object()

CHANGES: dict[str, dict[str, Any]] = {
    "kind a number": {"kind": 5},
    "kind an object": {"kind": {"a": [1]}},
    "kind missing": {"kind": GONE},
    "queue a number": {"queue": 5},
    "queue missing": {"queue": GONE},
    "state unknown": {"state": "bogus"},
    "state a number": {"state": 5},
    "payload text": {"payload": "text"},
    "payload missing": {"payload": GONE},
    "priority text": {"priority": "high"},
    "priority an object": {"priority": {}},
    "priority missing": {"priority": GONE},
    "attempt text": {"attempt": "many"},
    "attempt a double": {"attempt": 1.5},
    "attempt the largest": {"attempt": Int64(2**63 - 1)},
    "max_attempts text": {"max_attempts": "many"},
    "max_attempts the largest": {"max_attempts": Int64(2**63 - 1)},
    "run_at text": {"run_at": "now"},
    "run_at a number": {"run_at": 5},
    "due text": {"due": "now"},
    "due a number": {"due": 5},
    "due null": {"due": None},
    "due a list": {"due": [PAST]},
    "state a list": {"state": ["pending"]},
    "created_at text": {"created_at": "now"},
    "cancel_requested missing": {"cancel_requested": GONE},
    "cancel_requested text": {"cancel_requested": "yes"},
    "unique_until a number": {"unique_until": 5},
    "unique_until another text": {"unique_until": "60 s"},
    "unique_until a time, held_until text": {"unique_until": "60", "held_until": "now"},
    "tags text": {"tags": "t"},
    "tags missing": {"tags": GONE},
    "tags of other things": {"tags": [1, None, ["t"]]},
    "calls a number": {"calls": 5},
    "last_error an object": {"last_error": {"type": 1}},
    "last_error text": {"last_error": "oops"},
    "worker a number": {"worker": 5},
    "result text": {"result": "text"},
    "finished_at text": {"finished_at": "now"},
    "meta a number": {"meta": 5},
    "meta text": {"meta": "oops"},
    "errors a number": {"errors": 5},
    "errors of other things": {"errors": [1, None, "oops", {"a": 1}]},
    "error_type a number": {"error_type": 5},
    "running, max_attempts text, expired": {**RUNNING, "due": GONE, "max_attempts": "many"},
    "running, errors a number, expired": {**RUNNING, "due": GONE, "errors": 5},
    "running, attempt text, expired": {**RUNNING, "due": GONE, "attempt": "one"},
    "completed, result text": {"state": "completed", "due": GONE, "result": "text", "finished_at": "now"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_damage_harms_no_other(backend: MongoBackend, store: Collections, url: str, change: dict[str, Any]) -> None:
    """A value of any type in any field can be read, does not affect other jobs, and breaks no command."""
    bad, good = fill(backend)
    update: dict[str, Any] = {}
    for name, value in change.items():
        update.setdefault("$unset" if value is GONE else "$set", {})[name] = "" if value is GONE else value
    store.jobs.update_one({"_id": bad}, update)
    assert_harmless(backend, url, bad, good)


@pytest.mark.parametrize(
    "due",
    ["now", 5, None, True, [], [PAST], [FUTURE], [PAST, {"$gt": 1}], {"$gt": 1}],
    ids=["text", "number", "null", "bool", "empty", "past", "future", "operator", "object"],
)
@pytest.mark.parametrize("queues", [1, 60])
def test_a_due_that_is_no_date_harms_no_other(
    backend: MongoBackend, store: Collections, due: object, queues: int
) -> None:
    """A job with a `due` that is no date neither hides a due job from a wait or claim, nor ends waits without one."""
    names = [f"queue {n}" for n in range(queues)]
    new = [NewRecord(kind="k", queue=name, priority=priority) for priority in (1, 0) for name in names]
    bad, *_, good = [inserted.record.id for inserted in backend.insert(new, now=PAST)]
    backend.cancel(Filter(ids=[inserted.id for inserted in new[1:-1]]), limit=len(new))
    store.jobs.update_one({"_id": bad}, {"$set": {"due": due}})
    assert backend.wait(names, timeout=timedelta(0))
    assert [record.id for record in backend.claim(names, limit=1, worker="w", lease=LEASE)] == [good]
    assert not backend.claim(names, limit=1, worker="w", lease=LEASE)
    assert not backend.wait(names, timeout=timedelta(0))


@pytest.mark.parametrize("run_at", ["now", 5, None, [PAST]], ids=["text", "number", "null", "list"])
def test_a_run_at_that_is_no_date_is_not_counted_as_due(
    backend: MongoBackend, store: Collections, run_at: object
) -> None:
    """Counts of due jobs skip a job with a `run_at` that is no date, and include the others."""
    bad, _ = [inserted.record.id for inserted in backend.insert([NewRecord(kind="k"), NewRecord(kind="k")], now=PAST)]
    store.jobs.update_one({"_id": bad}, {"$set": {"run_at": run_at}})
    counts = backend.stats().by_queue["default"]
    assert (counts.total, counts.due, counts.oldest_due) == (2, 1, PAST)


def test_a_damaged_duplicate_is_returned(backend: MongoBackend, store: Collections) -> None:
    """An insert returns a damaged duplicate with placeholders, and inserts the other jobs."""
    new = NewRecord(kind="k", unique_key="key")
    backend.insert([new])
    store.jobs.update_one({"_id": new.id}, {"$set": {"priority": "high"}, "$unset": {"state": ""}})
    for again in (new, NewRecord(kind="k", unique_key="key")):
        duplicate, other = backend.insert([again, NewRecord(kind="k")])
        assert (duplicate.created, duplicate.record.id, duplicate.record.priority) == (False, new.id, 0)
        assert other.created


def test_a_key_of_a_document_without_a_record_is_rejected(backend: MongoBackend, store: Collections) -> None:
    """An insert names a document that holds a key and cannot be returned, and inserts nothing."""
    store.jobs.insert_one({"_id": "by hand", "held_key": "key", "state": "pending"})
    with pytest.raises(BackendError, match="'key' is held by a document whose _id is not a UUID, but 'by hand'"):
        backend.insert([NewRecord(kind="k"), NewRecord(kind="k", unique_key="key")])
    assert not backend.list(Filter(), limit=9)


@pytest.mark.parametrize("date", [DatetimeMS(-(2**62)), DatetimeMS(2**62)], ids=["early", "late"])
def test_a_date_beyond_python_is_damage(store: Collections, date: DatetimeMS) -> None:
    """A date beyond datetime's range is damage, since no guard could match the nearest one."""
    document = documents.inserted(NewRecord(kind="k").stored(PAST), None, ObjectId())
    options = store.jobs.codec_options
    assert is_whole(decode(encode(document, codec_options=options), options))
    for name in ("due", "updated_at"):
        read = decode(encode({**document, name: date}, codec_options=options), options)
        assert read[name] == date
        assert not is_whole(read)


def test_text_that_is_not_utf_8_is_read(store: Collections) -> None:
    """Bytes that are not UTF-8 are read escaped."""
    assert decode(encode({"kind": "kk"}).replace(b"kk\0", b"k\xff\0"), store.jobs.codec_options)["kind"] == "k\\xff"


@pytest.mark.parametrize("id", [ObjectId(), "id", {"a": 1}], ids=["ObjectId", "text", "object"])
@pytest.mark.parametrize("change", [{}, RUNNING], ids=["waiting", "running"])
def test_an_id_that_is_no_uuid_harms_no_other(
    backend: MongoBackend, store: Collections, url: str, id: object, change: dict[str, Any]
) -> None:
    """A document whose id is not a UUID is skipped, and other jobs are claimed."""
    bad, good = fill(backend)
    document = store.jobs.find_one({"_id": bad})
    assert document is not None
    store.jobs.insert_one({**document, **change, "_id": id})
    assert_harmless(backend, url, bad, good)


def test_a_damaged_queue_harms_no_job(backend: MongoBackend, store: Collections, url: str) -> None:
    """A malformed queue document can be read."""
    bad, good = fill(backend)
    store.queues.insert_one({"_id": 5})
    assert_harmless(backend, url, bad, good)


@pytest.mark.parametrize("errors", [5, "oops", {"a": 1}, None, [1, None]], ids=str)
def test_damaged_errors_hinder_no_outcome(backend: MongoBackend, store: Collections, errors: object) -> None:
    """A job whose errors are damaged is rescued and retried, and its new error is appended."""
    [inserted] = backend.insert([NewRecord(kind="k", meta={"a": "b"})], now=PAST)
    id = inserted.record.id
    for attempt in (1, 2):
        store.jobs.update_one({"_id": id}, {"$set": {"errors": errors}})
        [record] = backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=PAST + attempt * LEASE)
        assert (dict(record.meta), record.errors) == ({"a": "b"}, ())
        if attempt == 1:
            backend.settle([Retry(record.claim, PAST, Failure("E", "m"))], now=PAST + LEASE)
        else:
            assert len(backend.rescue(limit=1, now=PAST + 9 * LEASE)) == 1
        *_, last = backend.get([id])[id].errors
        assert (last.attempt, last.error.type) == (attempt, "E" if attempt == 1 else "LeaseExpired")


@pytest.mark.parametrize(("finished_at", "due"), [("now", "now"), (5, 5), (None, None), ([PAST], [PAST])])
def test_a_time_that_is_no_date_is_on_no_page(
    backend: MongoBackend, store: Collections, finished_at: object, due: object
) -> None:
    """Pages in the order of a time contain the other records."""
    bad, waiting, done, ended = (
        inserted.record.id for inserted in backend.insert([NewRecord(kind="k") for _ in range(4)], now=PAST)
    )
    backend.cancel(Filter(ids=[done, ended]), limit=2, now=PAST)
    store.jobs.update_one({"_id": ended}, {"$set": {"finished_at": finished_at}})
    store.jobs.update_one({"_id": bad}, {"$set": {"due": due}})
    by_end = {record.id for record in backend.list(Filter(), limit=9, order="finished_at")}
    by_time = {record.id for record in backend.list(Filter(), limit=9, order="run_at")}
    assert (by_end - {ended}, by_time) == ({done}, {waiting})


def test_a_damaged_job_is_discarded(
    backend: MongoBackend, store: Collections, caplog: pytest.LogCaptureFixture
) -> None:
    """A claim discards a job that cannot be worked, and the error names the damaged fields."""
    bad, good = fill(backend)
    store.jobs.update_one({"_id": bad}, {"$set": {"priority": "high", "held_key": "key"}})
    claimed = backend.claim(["default"], limit=9, worker="w", lease=LEASE)
    assert {record.id for record in claimed} == set(good)
    record = backend.get([bad])[bad]
    assert record.state is State.DISCARDED
    assert record.last_error is not None
    assert (record.last_error.type, "priority" in record.last_error.message) == ("DamagedRecord", True)
    assert f"job {bad} discarded" in caplog.text
    stored = store.jobs.find_one({"_id": bad})
    assert stored is not None
    assert "held_key" not in stored
