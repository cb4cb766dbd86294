"""Failing connections, concurrent statements, and unusable servers."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from servers import NEEDS_PASSWORD
from support import PATIENCE, eventually
from tallystick import (
    Complete,
    ConfigurationError,
    Filter,
    InvalidArgument,
    NewRecord,
    NotSetUp,
    OutcomeUnknown,
    State,
    Unavailable,
)
from tallystick.backends.calls import claim as claim_call
from tallystick_postgres import PostgresBackend, claiming, connections
from tallystick_postgres.capabilities import CAPABILITIES
from tallystick_postgres.execute import on

LEASE = timedelta(minutes=1)


def at(url: str, *, user: str | None = None, port: int | None = None, database: str | None = None) -> str:
    """Return a URL with the given parts replaced."""
    parts = urlsplit(url)
    netloc = f"{user or parts.username}@127.0.0.1:{port or parts.port}"
    return parts._replace(netloc=netloc, path=f"/{database}" if database else parts.path).geturl()


def end_all(connection: psycopg.Connection) -> None:
    """End every other connection of the database, as a restart does, and wait until they have ended."""
    connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database() AND backend_type = 'client backend'"
    )


def test_calls_outlive_their_connections(connection: psycopg.Connection, backend: PostgresBackend) -> None:
    """After the server has ended all connections of the pool, the next call opens a new one and succeeds."""
    backend.insert([NewRecord(kind="k")])
    end_all(connection)
    assert backend.stats().total == 1
    end_all(connection)
    assert len(backend.claim(["default"], limit=1, worker="w", lease=LEASE)) == 1


def test_close_lets_a_starting_call_finish(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is about to take a connection succeeds, even if `close` is called at that moment."""
    entered, closed = Event(), Event()
    take, close = ConnectionPool.getconn, ConnectionPool.close

    def take_late(pool: ConnectionPool) -> psycopg.Connection:
        entered.set()
        closed.wait(0.2)
        return take(pool)

    def close_and_signal(pool: ConnectionPool) -> None:
        close(pool)
        closed.set()

    monkeypatch.setattr(ConnectionPool, "getconn", take_late)
    monkeypatch.setattr(ConnectionPool, "close", close_and_signal)
    with ThreadPoolExecutor() as threads:
        call = threads.submit(backend.insert, [NewRecord(kind="k")])
        entered.wait()
        backend.close()
        assert call.result()[0].created
    assert closed.is_set()


@pytest.mark.parametrize(("count", "trips"), [(1, 1), (2, 3)], ids=["one", "several"])
def test_a_lost_response_is_unknown(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch, count: int, trips: int
) -> None:
    """If the connection is lost during a commit, OutcomeUnknown is raised, and the insert can be repeated."""
    new = [NewRecord(kind="k") for _ in range(count)]
    wait = connections.Connection.wait
    calls: list[object] = []

    def lose(self: connections.Connection, gen: Any, *args: Any, **kwargs: Any) -> Any:
        result = wait(self, gen, *args, **kwargs)
        calls.append(result)
        if len(calls) == trips:
            self.close()
            raise psycopg.OperationalError("lost")
        return result

    backend.stats()
    monkeypatch.setattr(connections.Connection, "wait", lose)
    with pytest.raises(OutcomeUnknown, match="may have committed"):
        backend.insert(new)
    monkeypatch.undo()
    assert [result.record.id for result in backend.insert(new)] == [record.id for record in new]
    assert backend.stats().total == count


def test_a_pool_of_one_serves_many_threads(url: str, backend: PostgresBackend) -> None:
    """Threads share a single connection without losing a job."""
    with PostgresBackend.from_url(f"{url}&pool_size=1") as small:
        threads = [Thread(target=lambda: small.insert([NewRecord(kind="k")] * 3)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert backend.stats().total == 8


def test_a_pool_in_use_is_named(url: str, backend: PostgresBackend) -> None:
    """The error of a call that gets no connection in time names `pool_size`."""
    with PostgresBackend.from_url(f"{url}&pool_size=1&pool_timeout=3") as small:
        small.stats()
        with (
            pytest.raises(Unavailable, match="has all its connections in use; raise pool_size"),
            small._connections._opened().connection(),
        ):
            small.stats()


def test_deadlocked_calls_are_repeated(
    connection: psycopg.Connection, postgres_url: str, backend: PostgresBackend, schema: str
) -> None:
    """A call that is the victim of a deadlock is repeated."""
    oldest, middle, newest = sorted(each.record.id for each in backend.insert([NewRecord(kind="k") for _ in range(3)]))
    connection.execute("SET deadlock_timeout = '1h'")  # so that it is never the victim
    update = f'UPDATE "{schema}".jobs SET worker = NULL WHERE id = %s'
    with (
        psycopg.connect(postgres_url) as gate,
        psycopg.connect(postgres_url, autocommit=True) as watcher,
        ThreadPoolExecutor(2) as pool,
    ):
        gate.execute(update, [middle])
        connection.execute("BEGIN")
        connection.execute(update, [oldest])
        cancelled = pool.submit(backend.cancel, Filter(), limit=5)  # it locks the newest job, and waits for the middle
        eventually(lambda: _waits_for(gate, watcher))
        updated = pool.submit(connection.execute, update, [newest])
        eventually(lambda: _is_blocked(connection, watcher))
        gate.rollback()  # now the call waits for the oldest job
        updated.result()
        connection.execute("COMMIT")
        assert set(cancelled.result()) == {oldest, middle, newest}


def _waits_for(gate: psycopg.Connection, watcher: psycopg.Connection) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    return watcher.execute(query, [gate.info.backend_pid]).fetchone() is not None


def _is_blocked(connection: psycopg.Connection, watcher: psycopg.Connection) -> bool:
    row = watcher.execute("SELECT pg_blocking_pids(%s) <> '{}'", [connection.info.backend_pid]).fetchone()
    return row == (True,)


def test_times_after_the_last_year(backend: PostgresBackend) -> None:
    """A delay that ends after the year 9999 by the server's clock is rejected with the usual error."""
    last = NewRecord(kind="k", run_at=timedelta(days=365 * 7_970))
    with pytest.raises(InvalidArgument, match="9999"):
        backend.insert([NewRecord(kind="k"), last, NewRecord(kind="k", run_at=timedelta.max)])
    assert backend.stats().total == 0


@contextmanager
def silence() -> Iterator[int]:
    """Listen on a port and never answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def test_hosts_that_do_not_answer(url: str) -> None:
    """The error distinguishes a host that refuses the connection from one that does not answer."""
    with silence() as port:
        pass
    with PostgresBackend.from_url(at(url, port=port)) as backend, pytest.raises(Unavailable, match="refused"):
        backend.setup()
    with (
        silence() as port,
        PostgresBackend.from_url(f"{at(url, port=port)}&connect_timeout=2") as backend,
        pytest.raises(Unavailable, match="timeout"),
    ):
        backend.stats()


def test_passwords_and_databases(connection: psycopg.Connection, url: str) -> None:
    """The errors for a wrong password and a missing database have the server's words, without the password."""
    connection.execute(f"DROP ROLE IF EXISTS {NEEDS_PASSWORD}")
    connection.execute(f"CREATE ROLE {NEEDS_PASSWORD} LOGIN PASSWORD 'right'")
    wrong = PostgresBackend.from_url(at(url, user=f"{NEEDS_PASSWORD}:wr0ng"))
    with wrong, pytest.raises(Unavailable, match="password authentication failed") as raised:
        wrong.stats()
    assert "wr0ng" not in str(raised.value)
    connection.execute(f"DROP ROLE {NEEDS_PASSWORD}")
    nowhere = PostgresBackend.from_url(at(url, database="nowhere"))
    with nowhere, pytest.raises(Unavailable, match='database "nowhere" does not exist'):
        nowhere.setup()


def test_read_only_servers(url: str, backend: PostgresBackend) -> None:
    """On a read-only server, such as a standby, calls that write raise Unavailable, and the others work."""
    with PostgresBackend.from_url(f"{url}&options=-cdefault_transaction_read_only%3Don") as standby:
        assert standby.stats().total == 0
        with pytest.raises(Unavailable, match="connect to the primary"):
            standby.insert([NewRecord(kind="k")])
        with pytest.raises(Unavailable, match="connect to the primary"):
            standby.claim(["default"], limit=1, worker="w", lease=LEASE)


def test_slow_statements_end(url: str, backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """A statement that exceeds `timeout` raises Unavailable, and its connection is not reused."""
    with PostgresBackend.from_url(f"{url}&timeout=3") as impatient, connection.transaction():
        impatient.stats()
        connection.execute(f'LOCK TABLE "{schema}".jobs')
        with pytest.raises(Unavailable, match="did not reply within"):
            impatient.list(Filter(), limit=1)
    assert backend.stats().total == 0


def test_claims_of_many_clients_overlap(url: str, backend: PostgresBackend) -> None:
    """Clients that claim concurrently from several queues get every job exactly once."""
    backend.insert([NewRecord(kind="k", queue=f"q{n % 7}", priority=n % 3) for n in range(700)])
    claimed: list[object] = []
    barrier = Barrier(4, timeout=PATIENCE)

    def work() -> None:
        with PostgresBackend.from_url(url) as client:
            barrier.wait()
            while records := client.claim([f"q{n}" for n in range(7)], limit=20, worker="w", lease=LEASE):
                claimed.extend(record.id for record in records)
                client.settle([Complete(record.claim) for record in records])

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 700
    assert backend.stats().by_state[State.COMPLETED] == 700


def test_a_contended_claim_skips_locked_jobs(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """When another session locks the first jobs, a claim returns jobs of lower priority."""
    backend.insert([NewRecord(kind="high", priority=1) for _ in range(3)] + [NewRecord(kind="low") for _ in range(3)])
    with connection.transaction():
        connection.execute(f"""SELECT FROM "{schema}".jobs WHERE kind = 'high' FOR UPDATE""")
        claimed = backend.claim(["default"], limit=3, worker="w", lease=LEASE)
    assert [record.kind for record in claimed] == ["low"] * 3


def test_a_contended_claim_keeps_the_order_of_queues(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """When another session locks the first job of one queue, a claim returns that of the next queue."""
    backend.insert(
        [NewRecord(kind="held", queue="a"), NewRecord(kind="next", queue="b"), NewRecord(kind="last", queue="a")]
    )
    with connection.transaction():
        connection.execute(f"""SELECT FROM "{schema}".jobs WHERE kind = 'held' FOR UPDATE""")
        claimed = backend.claim(["a", "b"], limit=1, worker="w", lease=LEASE)
    assert [record.kind for record in claimed] == ["next"]


def test_a_contended_claim_locks_only_its_jobs(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """A claim that skips locked jobs locks only the jobs that it returns."""
    backend.insert([NewRecord(kind="k", priority=9 - n) for n in range(4)])
    with connection.transaction():
        connection.execute(f"""SELECT FROM "{schema}".jobs WHERE priority = 9 FOR UPDATE""")
        with closing(connections.connect(backend._location)) as claimer, claimer.transaction():
            found = claiming.claim(
                on(claimer.cursor(binary=True)),
                backend._queries,
                claim_call(["default"], CAPABILITIES, limit=1, worker="w", lease=LEASE),
            )
            others = backend.claim(["default"], limit=9, worker="w", lease=LEASE)
    assert [record.priority for record in [*found, *others]] == [8, 7, 6]


def test_claimed_jobs_are_returned_despite_an_error(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that fails while it looks for more jobs returns those that it has; without any it raises."""
    backend.insert([NewRecord(kind="high", priority=1) for _ in range(2)] + [NewRecord(kind="low")])
    write = backend._connections.write
    calls: list[object] = []

    def failing(work: Any) -> Any:
        calls.append(work)
        if len(calls) % 2 == 0:
            raise Unavailable("gone")
        return write(work)

    monkeypatch.setattr(backend._connections, "write", failing)
    with connection.transaction():
        connection.execute(f"""SELECT FROM "{schema}".jobs WHERE kind = 'high' LIMIT 1 FOR UPDATE""")
        [claimed] = backend.claim(["default"], limit=2, worker="w", lease=LEASE)
        assert claimed.kind == "high"
        connection.execute(f"""SELECT FROM "{schema}".jobs WHERE state = 'pending' FOR UPDATE""")
        with pytest.raises(Unavailable):
            backend.claim(["default"], limit=2, worker="w", lease=LEASE)


def test_no_job_is_returned_twice(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that becomes due again while its claim looks for more is not returned twice."""
    backend.insert([NewRecord(kind="held", priority=1), NewRecord(kind="free", priority=1), NewRecord(kind="low")])
    write = backend._connections.write
    calls: list[object] = []

    def retry_after_first(work: Any) -> Any:
        result = write(work)
        calls.append(work)
        if len(calls) == 1:
            connection.execute(f"""UPDATE "{schema}".jobs SET state = 'retrying' WHERE state = 'running'""")
        return result

    monkeypatch.setattr(backend._connections, "write", retry_after_first)
    with psycopg.connect(connection.info.dsn) as holder:
        holder.execute(f"""SELECT FROM "{schema}".jobs WHERE kind = 'held' FOR UPDATE""")
        claimed = backend.claim(["default"], limit=2, worker="w", lease=LEASE)
    assert [record.kind for record in claimed] == ["free", "low"]


def test_missing_privileges(connection: psycopg.Connection, url: str, backend: PostgresBackend, schema: str) -> None:
    """A user without the privileges to create or read gets ConfigurationError, and setup leaves nothing behind."""
    connection.execute("DROP ROLE IF EXISTS unprivileged_user")
    connection.execute("CREATE ROLE unprivileged_user LOGIN")
    unprivileged = at(url, user="unprivileged_user")
    with PostgresBackend.from_url(PostgresBackend.namespaced(unprivileged, "b")) as other:
        with pytest.raises(ConfigurationError, match="permission denied"):
            other.setup()
        with pytest.raises(NotSetUp):
            other.stats()
    with PostgresBackend.from_url(unprivileged) as other, pytest.raises(ConfigurationError, match="permission denied"):
        other.stats()
    connection.execute("DROP ROLE unprivileged_user")


def _prepared(backend: PostgresBackend) -> list[str]:
    """Insert, claim and list jobs, and return the statements that the session has prepared."""
    backend.insert([NewRecord(kind="k")])
    backend.insert([NewRecord(kind="k"), NewRecord(kind="k")])
    backend.claim(["default"], limit=1, worker="w", lease=LEASE)
    backend.list(Filter(), limit=1)
    query = "SELECT statement FROM pg_prepared_statements"
    return [text for [text] in backend._connections.read(lambda cursor: cursor.execute(query).fetchall())]


def test_a_direct_connection_prepares_some_statements(url: str, backend: PostgresBackend, schema: str) -> None:
    """On a direct connection, the statements of an insert, a batch and a claim are prepared, and no others."""
    with PostgresBackend.from_url(f"{url}&pool_size=1") as direct:
        [batch, insert, claim] = sorted(_prepared(direct), key=lambda text: ("claim(" in text, "unnest" not in text))
    assert f'INSERT INTO "{schema}".jobs' in insert
    assert f'INSERT INTO "{schema}".jobs' in batch
    assert f'"{schema}".claim(' in claim


def test_a_pooled_connection_prepares_nothing(
    url: str, backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a pooler, another client may use the session next, so nothing is prepared."""
    monkeypatch.setattr(connections, "is_direct", lambda connection, location: False)
    with PostgresBackend.from_url(f"{url}&pool_size=1") as pooled:
        assert _prepared(pooled) == []


def test_inserts_that_meet_share_a_transaction(backend: PostgresBackend, postgres_url: str, schema: str) -> None:
    """Three threads insert while an insert waits for a lock: after it, their jobs are stored in one transaction."""
    backend._group_commit._patience = PATIENCE
    with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(4) as pool:
        other.execute(f'LOCK TABLE "{schema}".jobs IN EXCLUSIVE MODE')
        results = [pool.submit(backend.insert, [NewRecord(kind="k")]) for _ in range(4)]
        while len(backend._group_commit._waiting) < 3:
            pass
        other.commit()
        assert all(each.result()[0].created for each in results)
        found = other.execute(f'SELECT count(*) FROM "{schema}".jobs GROUP BY xmin::text').fetchall()
    assert sorted(found) == [(1,), (3,)]


def test_a_duplicate_in_a_group_has_its_own_result(backend: PostgresBackend, postgres_url: str, schema: str) -> None:
    """A job of a group whose id is stored returns the stored record; the others are created."""
    backend._group_commit._patience = PATIENCE
    [stored] = backend.insert([NewRecord(kind="first")])
    new = [NewRecord(kind="a"), NewRecord(kind="b"), NewRecord(kind="b", id=stored.record.id)]
    with psycopg.connect(postgres_url) as other, ThreadPoolExecutor(4) as pool:
        other.execute(f'LOCK TABLE "{schema}".jobs IN EXCLUSIVE MODE')
        results = [pool.submit(backend.insert, [NewRecord(kind="blocked")])]
        while backend._group_commit._leader is None:
            pass
        results += [pool.submit(backend.insert, [each]) for each in new]
        while len(backend._group_commit._waiting) < 3:
            pass
        other.commit()
        assert [each.result()[0].created for each in results] == [True, True, True, False]
        assert results[-1].result()[0].record.kind == "first"
