"""A claim rechecks each job that another client changed while the statement ran."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from tallystick import Changes, Filter, NewRecord
from tallystick_postgres import PostgresBackend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

_WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32) + objid::bigint = %s
"""


@pytest.fixture
def gate(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> int:
    """Make each claim wait for an advisory lock after it has found due jobs, and before it locks them."""
    gate = uuid4().int >> 65
    found = "ARRAY(SELECT id FROM first)"
    definition = "SELECT pg_get_functiondef(%s::regproc)"
    [claim] = connection.execute(definition, [f'"{schema}".claim']).fetchone() or [""]
    assert claim.count(found) == 1
    stop = f"ARRAY(SELECT id FROM first WHERE (SELECT pg_advisory_xact_lock_shared({gate})) IS NOT NULL)"
    connection.execute(claim.replace(found, stop))
    return gate


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("changes", [Changes(queue="new"), Changes(run_at=NOW + HOUR)], ids=["queue", "run_at"])
def test_a_claim_rechecks_a_job_that_has_changed(
    connection: psycopg.Connection,
    backend: PostgresBackend,
    gate: int,
    pool: ThreadPoolExecutor,
    changes: Changes,
) -> None:
    """A job that moves to another queue or time after the claim has found it is not claimed."""
    [inserted] = backend.insert([NewRecord(kind="k")], now=NOW)
    connection.execute("SELECT pg_advisory_lock(%s)", [gate])
    claim = pool.submit(backend.claim, ["default"], limit=1, worker="w", lease=HOUR, now=NOW)
    while connection.execute(_WAITING, [gate]).fetchone() == (0,):
        assert not claim.done()
    assert backend.update(Filter(), changes, limit=1, now=NOW) == [inserted.record.id]
    connection.execute("SELECT pg_advisory_unlock(%s)", [gate])
    assert claim.result() == []
