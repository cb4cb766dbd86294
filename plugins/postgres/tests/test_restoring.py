"""Restores of whole records: every column, several statements, and races with transactions that commit first."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest
from support import eventually
from tallystick import FINAL, InvalidArgument, NewRecord, Record, State
from tallystick_postgres import PostgresBackend, restoring, rows

NOW = datetime(2031, 5, 17, tzinfo=UTC)


def _whole(state: State = State.PENDING, **fields: Any) -> Record:
    lease_until = NOW if state is State.RUNNING else None
    finished_at = NOW if state in FINAL else None
    times = {"lease_until": lease_until, "finished_at": finished_at}
    return NewRecord(kind="k").stored(NOW)._replace(state=state, attempt=1, **times, **fields)  # type: ignore[arg-type]


def test_a_restore_sets_every_column() -> None:
    """The statement sets each column of a record, and those that only the table has."""
    assert {*rows.RESTORED_COLUMNS, "tags"} == {*rows.COLUMNS, "error_type", "held_key", "progress"}


def test_a_large_restore_takes_several_statements(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records above the size of a statement are stored by several, all or nothing, and counted."""
    monkeypatch.setattr(restoring, "STATEMENT_BYTES", 100)
    records = [_whole(state, payload=b"x" * 60) for state in State]
    assert list(backend.restore(records, now=NOW)) == [True] * len(records)
    assert backend.get([record.id for record in records]) == {record.id: record for record in records}
    assert dict(backend.stats(now=NOW).by_state) == dict.fromkeys(State, 1)
    new = [_whole(payload=b"x" * 60, unique_key=key) for key in ("a", "b", "a")]
    with pytest.raises(InvalidArgument, match="another job holds the unique key"):
        backend.restore(new, now=NOW)
    assert backend.stats(now=NOW).total == len(records)


def _restore_during(
    connection: psycopg.Connection, backend: PostgresBackend, other: NewRecord, *records: Record
) -> list[object]:
    """Restore records while a transaction, which commits then, has inserted another job. Return the result."""
    answers: list[object] = []

    def restore() -> None:
        try:
            answers.append(list(backend.restore(records, now=NOW)))
        except InvalidArgument as exc:
            answers.append(type(exc))

    waiting = Thread(target=restore)
    with connection.transaction():
        backend.insert([other], transaction=connection, now=NOW)
        waiting.start()
        eventually(lambda: _blocks(backend, connection.info.backend_pid))
    waiting.join()
    return answers


def _blocks(backend: PostgresBackend, pid: int) -> bool:
    """Return whether another session waits for a session."""
    with backend.transaction() as own:
        query = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
        row = own.execute(query, [pid]).fetchone()
    return row is not None and bool(row[0])


def test_an_id_that_another_transaction_stores_first(connection: psycopg.Connection, backend: PostgresBackend) -> None:
    """A restore waits for a transaction that inserts the same id, and then skips the record."""
    other = NewRecord(kind="other")
    records = (_whole(), _whole(State.COMPLETED, id=other.id))
    assert _restore_during(connection, backend, other, *records) == [[True, False]]
    assert backend.get([other.id])[other.id].kind == "other"


@pytest.mark.parametrize(
    ("state", "answer"), [(State.COMPLETED, [True, True]), (State.RETRYING, InvalidArgument)], ids=["final", "waiting"]
)
def test_a_key_that_another_transaction_takes_first(
    connection: psycopg.Connection, backend: PostgresBackend, state: State, answer: object
) -> None:
    """After a lost race for a key, a final record is stored without it, and any other rejects the batch."""
    other = NewRecord(kind="other", unique_key="key")
    record = _whole(state, unique_key="key", unique_until="purged")
    assert _restore_during(connection, backend, other, _whole(), record) == [answer]
    assert backend.stats(now=NOW).total == (1 if answer is InvalidArgument else 3)
    [again] = backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)
    assert again.record.id == other.id


def test_a_holder_whose_time_has_passed_frees_its_key(backend: PostgresBackend) -> None:
    """A restored record takes the key of a job whose time has passed."""
    minute = timedelta(minutes=1)
    backend.insert([NewRecord(kind="k", unique_key="key", unique_until=minute)], now=NOW - minute)
    record = _whole(unique_key="key")
    assert list(backend.restore([record], now=NOW)) == [True]
    assert backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)[0].record.id == record.id
