"""A claim while other clients claim, or change the jobs that it has found."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from tallystick import Changes, Filter, NewRecord
from tallystick_postgres import PostgresBackend
from tallystick_postgres.queries import CHANNEL

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

_WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32) + objid::bigint = %s
"""


_TURNS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = hashtextextended(%s, 2)
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
    _until_at(gate, connection, claim)
    assert backend.update(Filter(), changes, limit=1, now=NOW) == [inserted.record.id]
    connection.execute("SELECT pg_advisory_unlock(%s)", [gate])
    assert claim.result() == []


@pytest.mark.parametrize("limit", [100, 101])
def test_large_claims_take_turns_for_a_while(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, gate: int, limit: int
) -> None:
    """A large claim waits for another one of the same queues, but not for long. Both together claim each job once."""
    backend.insert([NewRecord(kind="k") for _ in range(300)])

    def claim() -> list[UUID]:
        return [record.id for record in backend.claim(["default"], limit=limit, worker="w", lease=HOUR)]

    connection.execute("SELECT pg_advisory_lock(%s)", [gate])
    with ThreadPoolExecutor(2) as pool:
        claims = [pool.submit(claim)]
        _until_at(gate, connection, *claims)
        turn = CHANNEL.replace("{schema}", schema) + "{default}"
        assert connection.execute(_TURNS, [turn]).fetchone() == (limit > 100,)
        claims.append(pool.submit(claim))
        _until_at(gate, connection, *claims)
        connection.execute("SELECT pg_advisory_unlock(%s)", [gate])
        claimed = [id for each in claims for id in each.result()]
    assert len(claimed) == len(set(claimed)) == 2 * limit


def _until_at(gate: int, connection: psycopg.Connection, *claims: "Future[Any]") -> None:
    """Wait until these claims have found due jobs."""
    while connection.execute(_WAITING, [gate]).fetchone() != (len(claims),):
        assert not any(claim.done() for claim in claims)
