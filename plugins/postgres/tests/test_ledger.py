"""The ledger of counts agrees with the jobs table after every kind of change."""

from datetime import UTC, datetime, timedelta

import psycopg
from tallystick import Complete, Discard, Failure, Filter, NewRecord, Retry, State
from tallystick_postgres import PostgresBackend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def assert_agrees(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> None:
    counted = connection.execute(f'SELECT state, count(*) FROM "{schema}".jobs GROUP BY state').fetchall()
    by_state = {state: n for state, n in backend.stats(now=NOW).by_state.items() if n}
    assert by_state == {State(state): n for state, n in counted}


def test_every_call_keeps_the_ledger(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> None:
    """After each kind of call, the ledger agrees with the table; folding changes no count."""
    backend.insert([NewRecord(kind=f"k{n % 3}", queue=f"q{n % 2}") for n in range(60)], now=NOW)
    assert_agrees(connection, backend, schema)
    claimed = backend.claim(["q0", "q1"], limit=30, worker="w", lease=HOUR, now=NOW)
    assert_agrees(connection, backend, schema)
    error = Failure("E", "m")
    backend.settle([Complete(record.claim) for record in claimed[:5]], now=NOW)
    backend.settle([Retry(record.claim, HOUR, error) for record in claimed[5:9]], now=NOW)
    backend.settle([Discard(record.claim, error) for record in claimed[9:12]], now=NOW)
    assert_agrees(connection, backend, schema)
    backend.cancel(Filter(kinds=["k1"]), limit=100, now=NOW)
    backend.requeue(Filter(), limit=3, now=NOW)
    assert_agrees(connection, backend, schema)
    backend.rescue(limit=5, now=NOW + 2 * HOUR)
    assert_agrees(connection, backend, schema)
    backend.delete(Filter(queues=["q0"]), limit=4)
    backend.purge([State.COMPLETED], before=NOW + HOUR, limit=2)
    assert_agrees(connection, backend, schema)
    stored = backend.list(Filter(), limit=9)
    backend.delete(Filter(ids=[record.id for record in stored]), limit=9)
    backend.restore(stored, now=NOW)
    assert_agrees(connection, backend, schema)
    for _ in range(2):
        backend.rescue(limit=1, now=NOW)
        assert_agrees(connection, backend, schema)


def test_a_person_may_change_the_table(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> None:
    """Changes with psql are counted too, and a queue inserted with psql is known."""
    backend.insert([NewRecord(kind="k") for _ in range(5)], now=NOW)
    connection.execute(f"""UPDATE "{schema}".jobs SET queue = 'moved' WHERE attempt = 0""")
    assert backend.stats(now=NOW).by_queue["moved"].total == 5
    connection.execute(f'DELETE FROM "{schema}".jobs')
    assert backend.stats(now=NOW).total == 0
    assert [queue.name for queue in backend.queues()] == ["default", "moved"]


def test_due_jobs_are_counted_by_the_fewer(connection: psycopg.Connection, backend: PostgresBackend) -> None:
    """Counts of due jobs are exact, for any mix of due and future jobs."""
    for due, future in ((0, 3_000), (3_000, 0), (1_500, 1_500), (2_500, 11_000)):
        queue = f"{due} and {future}"
        backend.insert([NewRecord(kind="k", queue=queue, priority=n % 3) for n in range(due)], now=NOW)
        later = [NewRecord(kind="k", queue=queue, priority=n % 3, run_at=HOUR) for n in range(future)]
        backend.insert(later, now=NOW)
        stats = backend.stats(now=NOW).by_queue[queue]
        assert (stats.total, stats.due, stats.oldest_due) == (due + future, due, NOW if due else None)
