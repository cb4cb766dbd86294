"""Batches whose jobs share some values."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tallystick import NewRecord
from tallystick_postgres import PostgresBackend

from .test_statement import by_asyncpg, by_psycopg, by_psycopg2, by_sqlalchemy

NOW = datetime(2031, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)
PLAIN: dict[str, Any] = {"kind": "k", "payload": b"\x00"}
VALUES: dict[str, tuple[Any, Any]] = {
    "kind": ("k", "l"),
    "queue": ("default", "a 'queue' %s"),
    "payload": (b"\x00", b""),
    "priority": (0, -3),
    "max_attempts": (20, 1),
    "unique_key": (None, "key"),
    "unique_until": ("finished", timedelta(days=2)),
    "meta": ({}, {"trace": "\x00"}),
    "tags": ((), ("plain", 'quoted "tag"', "back\\slash")),
    "run_at": (None, NOW + timedelta(days=1)),
    "delay": (None, timedelta(seconds=1)),
}
"""For each option the default, and another value."""


def new(name: str, value: Any) -> NewRecord:
    return NewRecord(**{**PLAIN, "run_at" if name == "delay" else name: value})


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("picked", [(0, 0), (1, 1), (0, 1), (1, 0)])
def test_a_value_is_stored_whether_all_jobs_share_it(
    backend: PostgresBackend, name: str, picked: tuple[int, int]
) -> None:
    """A batch stores each value, and its results are the stored records, whether all, some or no jobs share it."""
    news = [new(name, VALUES[name][n]) for n in picked]
    results = backend.insert(news, now=NOW)
    alone = [one.stored(NOW) for one in news]
    if name == "unique_key" and picked == (1, 1):
        alone[1] = alone[0]
    assert [result.record for result in results] == alone
    assert backend.get([one.id for one in news]) == {record.id: record for record in alone}


@pytest.mark.parametrize("execute", [by_psycopg, by_psycopg2, by_sqlalchemy, by_asyncpg])
@pytest.mark.parametrize("name", VALUES)
def test_the_callers_statement_stores_shared_values(
    backend: PostgresBackend, postgres_url: str, schema: str, execute: Any, name: str
) -> None:
    """Each driver can send a value that all jobs share, and lists of values."""
    for picked in ((1, 1), (0, 1)):
        news = [new(name, VALUES[name][n]) for n in picked]
        execute(postgres_url, schema, news)
        stored = backend.get([one.id for one in news])
        assert stored == {one.id: one.stored(NOW) for one in news if one.id in stored}
        assert len(stored) == (1 if name == "unique_key" and picked == (1, 1) else 2)
        backend.teardown()
        backend.setup()


def test_only_some_jobs_of_a_batch_are_new(backend: PostgresBackend) -> None:
    """A batch of new jobs, stored ids, an id twice and a held key returns a result for each, in order."""
    [first] = backend.insert([NewRecord(kind="k", unique_key="key")], now=NOW)
    fresh, other = NewRecord(kind="k"), NewRecord(kind="k")
    news = [other, NewRecord(kind="k", id=first.record.id), fresh, fresh, NewRecord(kind="k", unique_key="key")]
    results = backend.insert(news, now=NOW)
    assert [result.created for result in results] == [True, False, True, False, False]
    assert [result.record.id for result in results] == [other.id, first.record.id, fresh.id, fresh.id, first.record.id]
    again = backend.insert([fresh, other], now=NOW + timedelta(seconds=1))
    assert [(result.created, result.record) for result in again] == [
        (False, results[2].record),
        (False, results[0].record),
    ]


@pytest.mark.parametrize("at", ["infinity", "-infinity"])
def test_an_infinite_time(backend: PostgresBackend, connection: psycopg.Connection, schema: str, at: str) -> None:
    """A record with an infinite time can be stored, as the index of other ids accepts it."""
    statement = (
        f'INSERT INTO "{schema}".jobs (id, run_at, created_at, updated_at, max_attempts, priority, kind, queue, '
        "unique_until, payload) VALUES (%s, now(), %s, now(), 1, 0, 'k', 'q', 'finished', '')"
    )
    id = uuid4()
    connection.execute(statement, (id, at))
    assert [*backend.get([id])] == [id]
