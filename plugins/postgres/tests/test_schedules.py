"""Ticks of schedules fire once, with any number of clients, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from support import PATIENCE
from tallystick import Advance, Filter, InvalidArgument, NewSchedule, Schedule
from tallystick_postgres import PostgresBackend

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLIENTS = 6


def hourly(name: str) -> NewSchedule:
    return NewSchedule(name=name, rule="every hour", kind="k", after=BEGIN)


def test_clients_fire_each_tick_once(backend: PostgresBackend, url: str) -> None:
    """If several clients advance the same schedules at once, each schedule moves once, and each tick has one job."""
    names = ["a", "b", "c"]
    backend.put_schedules([hourly(name) for name in names])
    begin = Barrier(CLIENTS, timeout=PATIENCE)

    def work(number: int) -> list[bool]:
        applied: list[bool] = []
        with PostgresBackend.from_url(url) as client:
            client.schedules()
            for revision in range(1, 6):
                tick = BEGIN + revision * HOUR
                moves = [
                    Advance(name=name, revision=revision, ticks=(tick,), next_tick=tick + HOUR)
                    for name in (names if number % 2 else reversed(names))
                ]
                begin.wait()
                applied += client.advance(moves, now=tick)
        return applied

    with ThreadPoolExecutor(CLIENTS) as pool:
        applied = [one for found in pool.map(work, range(CLIENTS)) for one in found]
    assert sum(applied) == 15
    assert [each.revision for each in backend.schedules()] == [6, 6, 6]
    assert backend.count(Filter()) == 15


def test_clients_store_a_new_schedule_once(backend: PostgresBackend, url: str) -> None:
    """If several clients store the same new schedules at once, each gets the same stored ones."""
    begin = Barrier(CLIENTS, timeout=PATIENCE)
    with ExitStack() as stack, ThreadPoolExecutor(CLIENTS) as pool:
        clients = [stack.enter_context(PostgresBackend.from_url(url)) for _ in range(CLIENTS)]

        def work(number: int) -> list[Schedule]:
            begin.wait()
            return list(clients[number].put_schedules([hourly("b"), hourly("a")][:: 1 if number % 2 else -1]))

        found = [sorted(each) for each in pool.map(work, range(CLIENTS))]
    assert all(each == list(backend.schedules()) for each in found)
    assert [each.revision for each in backend.schedules()] == [1, 1]


def test_a_schedule_moves_only_with_its_jobs(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str
) -> None:
    """If the table of jobs rejects the job of a tick, the schedule does not move."""
    backend.put_schedules([hourly("a")])
    before = backend.schedules()
    connection.execute(f'ALTER TABLE "{schema}".jobs ADD CONSTRAINT none CHECK (FALSE)')
    move = Advance(name="a", revision=1, ticks=(BEGIN + HOUR,), next_tick=BEGIN + 2 * HOUR)
    with pytest.raises(InvalidArgument):
        backend.advance([move], now=BEGIN + HOUR)
    assert backend.schedules() == before
    connection.execute(f'ALTER TABLE "{schema}".jobs DROP CONSTRAINT none')
    assert backend.advance([move], now=BEGIN + HOUR) == [True]


def test_an_advance_waits_for_the_row_only(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str
) -> None:
    """A client that holds one schedule does not delay an advance of another."""
    backend.put_schedules([hourly("a"), hourly("b")])
    with connection.transaction():
        connection.execute(f"SELECT FROM \"{schema}\".schedules WHERE name = 'a' FOR UPDATE")
        move = Advance(name="b", revision=1, ticks=(BEGIN + HOUR,), next_tick=BEGIN + 2 * HOUR)
        assert backend.advance([move], now=BEGIN + HOUR) == [True]


def test_large_jobs_are_inserted_in_several_statements(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payloads of one advance may exceed the largest statement."""
    monkeypatch.setattr("tallystick_postgres.inserting.STATEMENT_BYTES", 2_500)
    new = NewSchedule(name="a", rule="every hour", kind="k", payload=b"x" * 1_000, after=BEGIN, missed="all")
    backend.put_schedules([new])
    ticks = tuple(BEGIN + n * HOUR for n in range(1, 10))
    assert backend.advance([Advance(name="a", revision=1, ticks=ticks, next_tick=None)], now=ticks[-1]) == [True]
    assert backend.count(Filter()) == 9
