"""The first and the last time, and rows written by other programs."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tallystick import Failure, Filter, NewRecord
from tallystick_sqlite import SqliteBackend


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_first_and_the_last_moment(backend: SqliteBackend, moment: datetime) -> None:
    """The first and the last moment of the calendar are stored exactly."""
    [inserted] = backend.insert([NewRecord(kind="k", run_at=moment)], now=moment)
    assert backend.list(Filter(), limit=1) == [inserted.record]


def test_rows_changed_by_hand_can_be_read(path: Path, backend: SqliteBackend) -> None:
    """A row changed by hand, within the table's constraints, can be read and does not affect others."""
    backend.insert([NewRecord(kind="k"), NewRecord(kind="k")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            """UPDATE tallystick_jobs SET last_error = '{"a"', tags = '[1, null]', created_at = -(1 << 62)"""
        )
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert [(record.last_error, record.tags) for record in claimed] == [
        (Failure("Unreadable", '{"a"'), ("1", "None"))
    ] * 2


@pytest.mark.parametrize("change", ["id = x'00'", "state = 'odd'", "tags = 'no json'", "kind = NULL", "run_at = 'now'"])
def test_the_table_rejects_unreadable_values(path: Path, backend: SqliteBackend, change: str) -> None:
    """The table's constraints reject values that cannot be read as a record."""
    backend.insert([NewRecord(kind="k")])
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE tallystick_jobs SET {change}")
