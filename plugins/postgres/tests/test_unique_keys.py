"""Unique keys on one server: damaged holders, callers' transactions, the caller's statement and crossed batches."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tallystick import Filter, InvalidArgument, NewRecord, OnConflict, State, UniqueUntil
from tallystick_postgres import PostgresBackend, insert_statement

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def new(
    payload: bytes = b"", on_conflict: OnConflict = "skip", key: str = "key", until: UniqueUntil = "finished"
) -> NewRecord:
    return NewRecord(kind="k", payload=payload, unique_key=key, unique_until=until, on_conflict=on_conflict)


def test_crossed_batches_do_not_deadlock(backend: PostgresBackend) -> None:
    """Batches that replace the same jobs in different orders all end, and no job mixes two of them."""
    keys = [f"key {n}" for n in range(20)]
    backend.insert([new(key=key) for key in keys], now=NOW)

    def replace(n: int) -> None:
        order = keys if n % 2 else keys[::-1]
        for _ in range(10):
            backend.insert([new(str(n).encode(), "replace", key) for key in order], now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replace, range(4)))
    assert len({record.payload for record in backend.list(Filter(), limit=99)}) == 1


def test_a_replace_ends_with_the_callers_transaction(connection: psycopg.Connection, backend: PostgresBackend) -> None:
    """A rolled back transaction leaves the holder unchanged; a committed one changes it."""
    backend.insert([new(b"old")], now=NOW)
    for end, payload in (("ROLLBACK", b"old"), ("COMMIT", b"new")):
        connection.execute("BEGIN")
        [inserted] = backend.insert([new(b"new", "replace")], transaction=connection, now=NOW)
        assert (inserted.applied, inserted.record.payload) == ("replace", b"new")
        connection.execute(end)
        assert [record.payload for record in backend.list(Filter(), limit=9)] == [payload]


def test_the_callers_statement_only_skips(backend: PostgresBackend) -> None:
    """`insert_statement` rejects other conflict policies, which need to read the holder first."""
    with pytest.raises(InvalidArgument, match="on_conflict is 'replace'; it must be 'skip'"):
        insert_statement([new(), new(on_conflict="replace")])


@pytest.mark.parametrize("policy", ["skip", "replace", "debounce"])
@pytest.mark.parametrize(
    "damage",
    [
        "kind = E'\\x7f'",
        "last_error = 'oops', errors = '{oops}'",
        "meta = 'oops'",
        "created_at = '-infinity'",
        "unique_until = '60', created_at = 'infinity'",
        "unique_until = '60', created_at = '-infinity'",
        "state = 'completed'",
        "attempt = 2147483647",
    ],
)
def test_a_damaged_holder_harms_no_other_job(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, policy: OnConflict, damage: str
) -> None:
    """An insert next to a damaged holder stores its other records."""
    backend.insert([new(b"old")], now=NOW)
    connection.execute(f'UPDATE "{schema}".jobs SET {damage}')
    met, other = backend.insert([new(b"new", policy), NewRecord(kind="k")], now=NOW)
    assert other.created
    assert met.record.state in State


def test_a_key_is_held_up_to_the_last_moment(backend: PostgresBackend) -> None:
    """A time that would end after the year 9999 ends with it."""
    [first] = backend.insert([new(until=timedelta(days=3_650))], now=LAST - MINUTE)
    [again] = backend.insert([new()], now=LAST - timedelta(microseconds=1))
    assert again.record.id == first.record.id
    [after] = backend.insert([new()], now=LAST)
    assert after.created
