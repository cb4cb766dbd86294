from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from tallystick import NewRecord, Record
from tallystick_mongo import MongoBackend, documents
from tallystick_mongo.fields import FIELDS

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
NOW = datetime(2031, 5, 17, 12, 30, 15, 999_000, tzinfo=UTC)


def test_every_field_of_a_record_is_stored() -> None:
    """`FIELDS` has each field of a record, in order, with the name that users know from `Record`."""
    assert ["id", *(field.name for field in FIELDS[1:])] == list(Record._fields)


def test_times_are_whole_milliseconds(backend: MongoBackend) -> None:
    """The returned record equals the stored one: `now` is rounded down, and a due time up."""
    moment = NOW + timedelta(microseconds=1_001)
    [inserted] = backend.insert([NewRecord(kind="k", run_at=moment)], now=moment)
    record = inserted.record
    assert (record.created_at, record.run_at) == (NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=2))
    assert backend.get([record.id]) == {record.id: record}


@pytest.mark.parametrize("moment", [FIRST, LAST], ids=["first", "last"])
def test_the_first_and_last_moment_are_kept(backend: MongoBackend, moment: datetime) -> None:
    """The first and the last moment that can be stored are read unchanged."""
    [inserted] = backend.insert([NewRecord(kind="k", run_at=moment)], now=NOW)
    assert backend.get([inserted.record.id])[inserted.record.id].run_at == moment


def test_a_foreign_error_can_be_read() -> None:
    """A `last_error` that Tallystick did not write becomes the message of a failure."""
    document = documents.inserted(NewRecord(kind="k").stored(NOW), None, ObjectId())
    failure = documents.record({**document, "last_error": "by hand"}).last_error
    assert failure is not None
    assert failure.message == "by hand"
