from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from tallystick import InvalidArgument, NewRecord, Record
from tallystick_mongo import documents
from tallystick_mongo.fields import FIELDS

NOW = datetime(2031, 5, 17, 12, 30, 15, 999_000, tzinfo=UTC)


def test_every_field_of_a_record_is_stored() -> None:
    """`FIELDS` has each field of a record, in order, with the name that users know from `Record`."""
    assert ["id", *(field.name for field in FIELDS[1:])] == list(Record._fields)


@pytest.mark.parametrize(("micros", "millis"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)])
def test_due_times_are_rounded_up(micros: int, millis: int) -> None:
    """A due time is rounded up to milliseconds, even into the next second."""
    moment = NOW + timedelta(microseconds=micros)
    assert documents.rounded_up(moment) == NOW + timedelta(milliseconds=millis)
    assert documents.stored(NewRecord(kind="k", run_at=moment), NOW).run_at >= moment


def test_the_last_moment_is_kept_or_rejected() -> None:
    """A moment that would be rounded into the year 10000 is rejected."""
    last = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert documents.rounded_up(last) == last
    with pytest.raises(InvalidArgument, match="the latest time"):
        documents.rounded_up(last + timedelta(microseconds=1))


def test_a_foreign_error_can_be_read() -> None:
    """A `last_error` that Tallystick did not write becomes the message of a failure."""
    document = documents.inserted(documents.stored(NewRecord(kind="k"), NOW), None, ObjectId())
    failure = documents.record({**document, "last_error": "by hand"}).last_error
    assert failure is not None
    assert failure.message == "by hand"
