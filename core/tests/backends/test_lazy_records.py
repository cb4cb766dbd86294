"""Batches whose records are made when they are needed."""

import pytest
from tallystick import InvalidArgument, NewRecord
from tallystick.backends import calls
from tallystick.backends.lazy_records import LazyRecords
from tallystick_memory import MemoryBackend


@pytest.fixture
def made() -> list[int]:
    """Return the jobs whose records have been made."""
    return []


@pytest.fixture
def records(made: list[int]) -> LazyRecords:
    """Return a batch of five."""

    def make(number: int) -> NewRecord:
        made.append(number)
        return NewRecord(kind="k", priority=number)

    return LazyRecords([0, 1, 2, 3, 4], make)


def test_parts(records: LazyRecords, made: list[int]) -> None:
    """Each part is made when it is asked for, and only once."""
    seen = []
    for _ in range(2):
        for part in records.parts(2):
            seen.append(([record.priority for record in part], len(made)))
    assert seen == [([0, 1], 2), ([2, 3], 4), ([4], 5), ([0, 1], 5), ([2, 3], 5), ([4], 5)]


def test_a_sequence(records: LazyRecords, made: list[int]) -> None:
    """The length is known at once; an index or an iteration makes all records."""
    assert (len(records), made) == (5, [])
    assert records[1].priority == 1
    assert made == [0, 1, 2, 3, 4]
    assert [record.priority for record in records] == [record.priority for record in records[:]] == made
    assert records[-1] is list(records)[-1]


def test_a_record_that_cannot_be_made() -> None:
    """The error of a record is that of the use, each time, and no other record is made again."""
    made = []

    def make(number: int) -> NewRecord:
        if number == 2:
            raise InvalidArgument("two")
        made.append(number)
        return NewRecord(kind="k")

    records = LazyRecords(range(4), make)
    for _ in range(2):
        with pytest.raises(InvalidArgument, match="two"):
            list(records)
    assert made == [0, 1]


def test_a_backend_that_does_not_know_it(records: LazyRecords) -> None:
    """A checked call has a list, so every backend can insert the batch."""
    call = calls.insert(records, MemoryBackend().capabilities)
    assert type(call.records) is list
    inserted = MemoryBackend().insert(records)
    assert [each.record.priority for each in inserted] == [0, 1, 2, 3, 4]
