"""One damaged row does not affect other jobs, calls or commands."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from damage import assert_harmless, fill
from support import eventually
from tallystick import Context, Failure, NewRecord, Runner, State
from tallystick_sqlite import SqliteBackend

DEEP = "[" * 990 + "]" * 990
FAR = 253_370_764_800_000_000
LAST = 9_223_372_036_854_775_807

REJECTED = {
    "state unknown": "state = 'bogus'",
    "state NULL": "state = NULL",
    "kind NULL": "kind = NULL",
    "kind empty": "kind = ''",
    "kind long": "kind = printf('%.*c', 256, 'k')",
    "queue empty": "queue = ''",
    "queue long": "queue = printf('%.*c', 256, 'k')",
    "run_at NULL": "run_at = NULL",
    "run_at text": "run_at = 'now'",
    "run_at real": "run_at = 1.5",
    "run_at after the last year": f"run_at = {LAST}",
    "run_at before the first year": "run_at = -9223372036854775808",
    "attempt negative": "attempt = -5",
    "attempt huge": f"attempt = {LAST}",
    "max_attempts 0": "max_attempts = 0",
    "max_attempts huge": f"max_attempts = {LAST}",
    "priority huge": f"priority = {LAST}",
    "unique_until unknown": "unique_until = 'never'",
    "unique_until zero": "unique_until = '0'",
    "unique_until negative": "unique_until = '-5'",
    "unique_until no integer": "unique_until = '1.5'",
    "unique_until with zeros": "unique_until = '0060'",
    "unique_until long": "unique_until = '315360001'",
    "unique_until with NUL": "unique_until = '60' || char(0)",
    "tags NULL": "tags = NULL",
    "tags no JSON": "tags = 'oops'",
    "tags a number": "tags = '5'",
    "tags an object": "tags = '{\"a\": 1}'",
    "running, no lease": "state = 'running', attempt = 1",
    "id short": "id = x'0000000000'",
}

READ = {
    "payload NULL": "payload = NULL",
    "kind not UTF-8": "kind = cast(x'6bff' as text)",
    "kind with NUL": "kind = 'a' || char(0) || 'b'",
    "kind with control characters": "kind = 'a' || char(27) || '[2J'",
    "queue not UTF-8": "queue = cast(x'ff' as text)",
    "worker not UTF-8": "worker = cast(x'ff' as text)",
    "tags not UTF-8": "tags = cast(x'5b22ff225d' as text)",
    "tags nested": "tags = '[[1], null, {}]'",
    "tags deep": f"tags = '{DEEP}'",
    "unique_key not UTF-8": "unique_key = cast(x'ff' as text)",
    "last_error not UTF-8": "last_error = cast(x'ff' as text)",
    "last_error not JSON": "last_error = 'oops'",
    "last_error null": "last_error = 'null'",
    "last_error numbers": """last_error = '{"type": 1, "message": 2, "traceback": 3}'""",
    "last_error deep": f"last_error = '{DEEP}'",
    "error_type not UTF-8": "last_error = '{}', error_type = cast(x'ff' as text)",
    "errors not UTF-8": "errors = cast(x'ff0aff' as text)",
    "errors not JSON": "errors = 'oops' || char(10) || char(10)",
    "errors deep": f"errors = '{DEEP}'",
    "meta not UTF-8": "meta = cast(x'ff' as text)",
    "meta not JSON": "meta = 'oops'",
    "meta a list": "meta = '[1]'",
    "meta of numbers": "meta = '{\"a\": 1}'",
    "meta deep": f"meta = '{DEEP}'",
    "attempt at the limit": "attempt = 2147483647",
    "attempt above max_attempts": "attempt = 50",
    "max_attempts at the limit": "max_attempts = 2147483647",
    "priority at the limit": "priority = 32767",
    "run_at at the end": "run_at = 253402300799999999",
    "run_at at the beginning": "run_at = -62135596800000000",
    "created_at and updated_at beyond the calendar": f"created_at = -{LAST}, updated_at = {LAST}",
    "finished_at beyond the calendar": f"state = 'completed', finished_at = {LAST}",
    "finished_at of a pending one": "finished_at = 5",
    "lease of a pending one": "lease_until = 5",
    "cancel_requested of a pending one": "cancel_requested = 7",
    "result of a pending one": "result = x'ff'",
    "running, worker not UTF-8, expired": (
        "worker = cast(x'ff' as text), state = 'running', attempt = 1, lease_until = 1"
    ),
    "running, at the limit, expired": "state = 'running', attempt = 2147483647, lease_until = 1",
    "running, both at the limit, expired": (
        "state = 'running', attempt = 2147483647, max_attempts = 2147483647, lease_until = 1"
    ),
    "running, lease beyond the calendar": f"state = 'running', attempt = 1, lease_until = {LAST}",
    "running, no worker": "state = 'running', attempt = 1, lease_until = 1",
    "retrying, attempt 0": "state = 'retrying'",
    "completed, nothing else": "state = 'completed'",
    "discarded without an error": "state = 'discarded', finished_at = 1",
    "payload of other bytes": "payload = x'ff00fe'",
}

Damage = Callable[..., None]


@pytest.fixture
def damage(path: Path) -> Damage:
    def damage(sql: str, *parameters: object) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(sql, parameters)

    return damage


@pytest.mark.parametrize("change", REJECTED.values(), ids=REJECTED)
def test_the_table_rejects(backend: SqliteBackend, damage: Damage, change: str) -> None:
    """The table's constraints reject values that no record or worker can use."""
    bad, _ = fill(backend)
    with pytest.raises(sqlite3.IntegrityError):
        damage(f"UPDATE tallystick_jobs SET {change} WHERE id = ?", bad.bytes)


@pytest.mark.parametrize("change", READ.values(), ids=READ)
def test_damage_harms_no_other(backend: SqliteBackend, damage: Damage, url: str, change: str) -> None:
    """A value that the table accepts can be read, does not affect other jobs, and breaks no command."""
    bad, good = fill(backend)
    damage(f"UPDATE tallystick_jobs SET {change} WHERE id = ?", bad.bytes)
    after = assert_harmless(backend, url, bad, good)
    assert after is not None


@pytest.mark.parametrize("row", ["(cast(x'ff' as text), 0)", "('q9', 7)", "('', 0)"])
def test_a_damaged_queue_harms_no_job(backend: SqliteBackend, damage: Damage, url: str, row: str) -> None:
    """A queue name that is not UTF-8, and a paused flag that is not a boolean, can be read."""
    bad, good = fill(backend)
    damage(f"INSERT INTO tallystick_queues VALUES {row}")
    assert_harmless(backend, url, bad, good)


def test_a_job_without_a_further_attempt_is_discarded(
    backend: SqliteBackend, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    """A claim discards a job whose attempt is the largest integer, and logs it."""
    bad, good = fill(backend)
    damage("UPDATE tallystick_jobs SET attempt = 2147483647, held_key = 'key' WHERE id = ?", bad.bytes)
    claimed = backend.claim(["default"], limit=9, worker="w", lease=timedelta(minutes=1))
    assert [record.id for record in claimed] == good
    record = backend.get([bad])[bad]
    assert (record.state, record.last_error and record.last_error.type) == (State.DISCARDED, "DamagedRecord")
    assert f"job {bad} discarded" in caplog.text
    assert backend.insert([NewRecord(kind="k", unique_key="key")])[0].created


def test_text_is_shown_escaped(backend: SqliteBackend, damage: Damage) -> None:
    """Bytes that are not UTF-8 are shown in hexadecimal, and an unreadable error as its text."""
    bad, _ = fill(backend)
    damage("UPDATE tallystick_jobs SET kind = cast(x'6bff' as text), last_error = 'oops' WHERE id = ?", bad.bytes)
    record = backend.get([bad])[bad]
    assert (record.kind, record.last_error) == ("k\\xff", Failure("Unreadable", "oops"))


def test_a_worker_works_despite_damage(url: str, damage: Damage) -> None:
    """A worker works all jobs except one that has no further attempt, even if another has text that is not UTF-8."""
    done: list[int] = []
    with Runner(url, poll=timedelta(milliseconds=10)) as runner:

        @runner.job("k")
        def k(n: int, ctx: Context) -> None:
            done.append(n)

        handles = [runner.enqueue(k.job(n)) for n in range(6)]
        damage("UPDATE tallystick_jobs SET unique_key = cast(x'ff' as text) WHERE id = ?", handles[2].id.bytes)
        damage("UPDATE tallystick_jobs SET attempt = 2147483647 WHERE id = ?", handles[3].id.bytes)
        runner.start()
        eventually(lambda: set(done) >= {0, 1, 2, 4, 5})
        eventually(lambda: runner.get(handles[3].id).state is State.DISCARDED)
