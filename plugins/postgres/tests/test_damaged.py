"""One damaged row does not affect other jobs, calls or commands."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from damage import assert_harmless, fill
from psycopg import errors
from tallystick import (
    ERRORS_KEPT,
    Advance,
    Beat,
    Failure,
    Filter,
    NewRecord,
    NewSchedule,
    Release,
    Retry,
    State,
)
from tallystick_postgres import PostgresBackend

DEEP = "[" * 5_000

REJECTED = {
    "state unknown": "state = 'bogus'",
    "state NULL": "state = NULL",
    "kind NULL": "kind = NULL",
    "kind empty": "kind = ''",
    "kind long": "kind = repeat('k', 256)",
    "queue empty": "queue = ''",
    "queue long": "queue = repeat('q', 256)",
    "run_at NULL": "run_at = NULL",
    "run_at infinite": "run_at = 'infinity'",
    "attempt negative": "attempt = -5",
    "max_attempts 0": "max_attempts = 0",
    "unique_until unknown": "unique_until = 'never'",
    "tags NULL": "tags = NULL",
    "tags with NULL": "tags = ARRAY['a', NULL]",
    "tags of two dimensions": "tags = ARRAY[ARRAY['a', 'b'], ARRAY['c', 'd']]",
    "running, no lease": "state = 'running', attempt = 1",
    "running, lease infinite": "state = 'running', attempt = 1, lease_until = 'infinity'",
    "errors of two dimensions": "errors = ARRAY[ARRAY['a', 'b'], ARRAY['c', 'd']]",
    "errors from 0": "errors = '[0:1]={a,b}'",
    "id NULL": "id = NULL",
    "payload NULL": "payload = NULL",
}

READ = {
    "kind with control characters": "kind = E'a\\nb\\x1b[2J'",
    "queue with control characters": "queue = E'\\x1b'",
    "tags odd": "tags = ARRAY['', E'\\n']",
    "last_error not JSON": "last_error = 'oops'",
    "last_error null": "last_error = 'null'",
    "last_error numbers": """last_error = '{"type": 1, "message": 2, "traceback": 3}'""",
    "last_error deep": f"last_error = '{DEEP}'",
    "error_type of no error": "error_type = 'E'",
    "error_type long": "last_error = '{}', error_type = repeat('E', 3000)",
    "meta not JSON": "meta = 'oops'",
    "meta deep": f"meta = '{DEEP}'",
    "meta of numbers": """meta = '{"a": 1}'""",
    "errors empty": "errors = '{}'",
    "errors odd": "errors = ARRAY['oops', NULL, '{}']",
    "errors deep": f"errors = ARRAY['{DEEP}']",
    "errors many": "errors = array_fill('{}'::text, ARRAY[100])",
    "attempt at the limit": "attempt = 2147483647",
    "attempt above max_attempts": "attempt = 50",
    "max_attempts at the limit": "max_attempts = 2147483647",
    "priority at the limit": "priority = 32767",
    "run_at at the end": "run_at = '9999-12-31 23:59:59.999999+00'",
    "run_at before all": "run_at = '-infinity'",
    "run_at before the first year": "run_at = '4000-01-01 00:00:00+00 BC'",
    "created_at and updated_at infinite": "created_at = 'infinity', updated_at = '-infinity'",
    "finished_at infinite": "state = 'completed', finished_at = 'infinity'",
    "finished_at before all": "state = 'completed', finished_at = '-infinity'",
    "attempted_at infinite": "attempted_at = 'infinity'",
    "finished_at of a pending one": "finished_at = now()",
    "lease of a pending one": "lease_until = now()",
    "cancel_requested of a pending one": "cancel_requested = TRUE",
    "result of a pending one": "result = '\\xff'",
    "running, at the limit, expired": "state = 'running', attempt = 2147483647, lease_until = now()",
    "running, both at the limit, expired": (
        "state = 'running', attempt = 2147483647, max_attempts = 2147483647, lease_until = now()"
    ),
    "running, lease before all": "state = 'running', attempt = 1, lease_until = '-infinity'",
    "running, no worker": "state = 'running', attempt = 1, lease_until = now()",
    "retrying, attempt 0": "state = 'retrying'",
    "completed, nothing else": "state = 'completed'",
    "discarded without an error": "state = 'discarded', finished_at = now()",
    "payload of other bytes": "payload = '\\xff00fe'",
    "id of another version": "id = '00000000-0000-0000-0000-000000000000'",
}


@pytest.mark.parametrize("change", REJECTED.values(), ids=REJECTED)
def test_the_table_rejects(backend: PostgresBackend, connection: psycopg.Connection, schema: str, change: str) -> None:
    """The table's constraints reject values that no record or worker can use."""
    bad, _ = fill(backend)
    with pytest.raises((errors.CheckViolation, errors.NotNullViolation)):
        connection.execute(f'UPDATE "{schema}".jobs SET {change} WHERE id = %s', [bad])


@pytest.mark.parametrize("change", READ.values(), ids=READ)
def test_damage_harms_no_other(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, url: str, change: str
) -> None:
    """A value that the table accepts can be read, does not affect other jobs, and breaks no command."""
    bad, good = fill(backend)
    connection.execute(f'UPDATE "{schema}".jobs SET {change} WHERE id = %s', [bad])
    assert_harmless(backend, url, bad, good)


@pytest.mark.parametrize("change", [change for name, change in READ.items() if name.startswith("errors")])
def test_a_damaged_list_of_errors_takes_one_more(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, change: str
) -> None:
    """A retry of a job with damaged errors appends its error, and the list stays within its limit."""
    bad, _ = fill(backend)
    connection.execute(f'UPDATE "{schema}".jobs SET {change} WHERE id = %s', [bad])
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert all(backend.settle([Retry(each.claim, timedelta(0), Failure("E", "m")) for each in claimed]))
    errors = backend.get([bad])[bad].errors
    assert errors[-1].error.type == "E"
    assert len(errors) <= ERRORS_KEPT


SCHEDULES = {
    "kind empty": "kind = ''",
    "queue with control characters": "queue = E'\\x1b'",
    "rule unknown": "rule = 'when it rains'",
    "zone unknown": "zone = 'Mars/Olympus'",
    "tags not JSON": "tags = 'oops'",
    "tags deep": f"tags = '{DEEP}'",
    "meta not JSON": "meta = 'oops'",
    "window negative": "window_micros = -1",
    "window at the limit": "window_micros = 9223372036854775807",
    "next_tick at the end": "next_tick = 'infinity'",
    "last_tick at the end": "last_tick = 'infinity'",
    "created_at before all": "created_at = '-infinity'",
    "name with control characters": "name = E'\\x1b'",
    "max_attempts 0": "max_attempts = 0",
}


@pytest.mark.parametrize("change", SCHEDULES.values(), ids=SCHEDULES)
def test_a_damaged_schedule_harms_no_other(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, change: str
) -> None:
    """A damaged schedule is listed, and the other schedules of the same calls fire."""
    begin = datetime(2030, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    news = [NewSchedule(name=name, rule="every hour", kind="k", after=begin) for name in ("bad", "good")]
    backend.put_schedules(news)
    connection.execute(f"UPDATE \"{schema}\".schedules SET {change} WHERE name = 'bad'")
    assert len(backend.schedules()) == len(backend.due_schedules(limit=9)) == 2
    tick = begin + hour
    names = ["bad", "good"]
    moves = [Advance(name=name, revision=1, ticks=(tick,), next_tick=tick + hour) for name in names]
    assert backend.advance(moves, now=tick)[1]
    assert len(backend.list(Filter(tags=["schedule:good"]), limit=9)) == 1
    assert [each.name for each in backend.put_schedules(news)] == names


@pytest.mark.parametrize("change", ["beat = 'oops'", f"beat = '{DEEP}'", "seen_at = 'infinity'", "name = E'\\x1b'"])
def test_a_damaged_worker_harms_no_other(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, change: str
) -> None:
    """The other workers are listed, and the damaged one can beat again."""
    began = datetime(2030, 1, 1, tzinfo=UTC)
    beats = [
        Beat(worker=name, host="h", pid=1, version="1", queues=("q",), concurrency=1, started_at=began)
        for name in ("bad", "good")
    ]
    for beat in beats:
        backend.beat(beat, ttl=timedelta(hours=1))
    connection.execute(f"UPDATE \"{schema}\".workers SET {change} WHERE name = 'bad'")
    assert "good" in [worker.worker for worker in backend.workers()]
    for beat in beats:
        backend.beat(beat, ttl=timedelta(hours=1))
    assert {"bad", "good"} <= {worker.worker for worker in backend.workers()}


@pytest.mark.parametrize("line", ["(1, 'default', 'k', 'bogus')", "(-9, '', '', 'pending')", "(0, E'\\x1b', '', '')"])
def test_a_damaged_ledger_harms_no_job(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, url: str, line: str
) -> None:
    """A wrong row in the ledger makes counts wrong, but breaks nothing."""
    bad, good = fill(backend)
    connection.execute(f'INSERT INTO "{schema}".counts (n, queue, kind, state) VALUES {line}')
    assert_harmless(backend, url, bad, good)


def test_a_job_without_a_further_attempt_is_discarded(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A claim discards a job whose attempt is the largest integer, and logs it."""
    bad, good = fill(backend)
    connection.execute(
        f"""UPDATE "{schema}".jobs SET attempt = 2147483647, held_key = 'key' WHERE id = %s""",
        [bad],
    )
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert [record.id for record in claimed] == good
    record = backend.get([bad])[bad]
    assert (record.state, record.last_error and record.last_error.type) == (State.DISCARDED, "DamagedRecord")
    assert f"job {bad} discarded" in caplog.text
    assert backend.insert([NewRecord(kind="k", unique_key="key")])[0].created


def test_a_release_at_the_limit_harms_no_other(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str
) -> None:
    """Releasing a job with the largest max_attempts keeps the value, and the other releases are applied."""
    bad, _ = fill(backend)
    connection.execute(f'UPDATE "{schema}".jobs SET max_attempts = 2147483647 WHERE id = %s', [bad])
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert backend.settle([Release(record.claim) for record in claimed]) == [True] * 7
    assert backend.get([bad])[bad].max_attempts == 2147483647
