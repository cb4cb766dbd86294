"""One damaged document does not affect other jobs, calls or commands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Int64, ObjectId, decode, encode
from bson.datetime_ms import DatetimeMS
from damage import assert_harmless, fill
from tallystick import State
from tallystick_mongo import MongoBackend
from tallystick_mongo.collections import Collections

PAST = datetime(2001, 1, 1, tzinfo=UTC)
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
    "created_at text": {"created_at": "now"},
    "cancel_requested missing": {"cancel_requested": GONE},
    "cancel_requested text": {"cancel_requested": "yes"},
    "unique_until a number": {"unique_until": 5},
    "tags text": {"tags": "t"},
    "tags missing": {"tags": GONE},
    "tags of other things": {"tags": [1, None, ["t"]]},
    "calls a number": {"calls": 5},
    "last_error an object": {"last_error": {"type": 1}},
    "last_error text": {"last_error": "oops"},
    "worker a number": {"worker": 5},
    "result text": {"result": "text"},
    "finished_at text": {"finished_at": "now"},
    "running, max_attempts text, expired": {**RUNNING, "due": GONE, "max_attempts": "many"},
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


def test_moments_and_text_beyond_python_are_read(store: Collections) -> None:
    """A date beyond datetime's range is read as the nearest one, and bytes that are not UTF-8 are read escaped."""
    options = store.jobs.codec_options
    assert decode(encode({"at": DatetimeMS(2**62)}), options)["at"].year == 9999
    assert decode(encode({"at": DatetimeMS(-(2**62))}), options)["at"].year == 1
    assert decode(encode({"kind": "kk"}).replace(b"kk\0", b"k\xff\0"), options)["kind"] == "k\\xff"


def test_an_id_that_is_no_uuid_harms_no_other(backend: MongoBackend, store: Collections, url: str) -> None:
    """A document whose id is not a UUID is skipped, and other jobs are claimed."""
    bad, good = fill(backend)
    document = store.jobs.find_one({"_id": bad})
    assert document is not None
    store.jobs.insert_one({**document, "_id": ObjectId()})
    assert_harmless(backend, url, bad, good)


def test_a_damaged_queue_harms_no_job(backend: MongoBackend, store: Collections, url: str) -> None:
    """A malformed queue document can be read."""
    bad, good = fill(backend)
    store.queues.insert_one({"_id": 5})
    assert_harmless(backend, url, bad, good)


def test_a_damaged_job_is_discarded(
    backend: MongoBackend, store: Collections, caplog: pytest.LogCaptureFixture
) -> None:
    """A claim discards a job that cannot be worked, and the error names the damaged fields."""
    bad, good = fill(backend)
    store.jobs.update_one({"_id": bad}, {"$set": {"priority": "high", "held_key": "key"}})
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert {record.id for record in claimed} == set(good)
    record = backend.get([bad])[bad]
    assert record.state is State.DISCARDED
    assert record.last_error is not None
    assert (record.last_error.type, "priority" in record.last_error.message) == ("DamagedRecord", True)
    assert f"job {bad} discarded" in caplog.text
    stored = store.jobs.find_one({"_id": bad})
    assert stored is not None
    assert "held_key" not in stored
