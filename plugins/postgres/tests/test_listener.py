"""Waking waiting workers: promptly, once per queue, and after a lost connection."""

from datetime import timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest
from support import PATIENCE, eventually
from tallystick import NewRecord
from tallystick_postgres import PostgresBackend

LONG = timedelta(seconds=PATIENCE)
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"


def pids(connection: psycopg.Connection, schema: str) -> list[int]:
    return [pid for [pid] in connection.execute(LISTENERS, (f'%LISTEN "tallystick:{schema}"%',)).fetchall()]


def test_a_lost_connection_is_made_again(
    connection: psycopg.Connection, backend: PostgresBackend, url: str, schema: str
) -> None:
    """After the server ends the listening connection, a new one is opened, and `wait` is woken by the next job."""
    woken: list[bool] = []
    waiter = Thread(target=lambda: woken.append(backend.wait(["default"], timeout=LONG)))
    waiter.start()
    eventually(lambda: bool(pids(connection, schema)))
    [before] = pids(connection, schema)
    connection.execute("SELECT pg_terminate_backend(%s)", (before,))
    eventually(lambda: pids(connection, schema) not in ([], [before]))
    with PostgresBackend.from_url(url) as other:
        other.insert([NewRecord(kind="k")])
    waiter.join(PATIENCE)
    assert woken == [True]


def test_a_batch_is_one_message_for_each_queue(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """A batch of a hundred jobs in two queues sends two notifications, about jobs that can be claimed."""
    connection.execute(f'LISTEN "tallystick:{schema}"')
    backend.insert([NewRecord(kind="k", queue=f"q{n % 2}") for n in range(100)])
    connection.execute('LISTEN "end"')
    connection.execute('NOTIFY "end"')
    notifications = list(connection.notifies(timeout=PATIENCE, stop_after=3))
    assert sorted(notify.payload for notify in notifications) == ["", "+q0", "+q1"]


@pytest.mark.parametrize("notify", [True, False])
def test_waiting_without_notifications(url: str, backend: PostgresBackend, notify: bool) -> None:
    """Without notifications, `wait` still ends at its timeout and at an insert of the same client."""
    with PostgresBackend.from_url(f"{url}&notify={notify}") as quiet:
        assert quiet.capabilities.notify is notify
        assert not quiet.wait(["default"], timeout=timedelta(seconds=0.05))
        woken: list[bool] = []
        waiter = Thread(target=lambda: woken.append(quiet.wait(["default"], timeout=LONG)))
        waiter.start()
        quiet.insert([NewRecord(kind="k")])
        waiter.join(PATIENCE)
        assert woken == [True]


def test_idle_waiting_queries_the_server_once(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """While listening, repeated calls of `wait` query the server only after a change."""
    calls: list[object] = []
    read = backend._connections.read

    def counting(work: Any) -> Any:
        calls.append(work)
        return read(work)

    monkeypatch.setattr(backend._connections, "read", counting)
    eventually(lambda: backend.wait(["default"], timeout=timedelta(seconds=0.02)) or backend._listener.listening)
    backend.wait(["default"], timeout=timedelta(0))
    before = len(calls)
    assert not any(backend.wait(["default"], timeout=timedelta(seconds=0.01)) for _ in range(20))
    assert len(calls) == before
    backend.insert([NewRecord(kind="k", run_at=timedelta(seconds=0.2))])
    assert backend.wait(["default"], timeout=LONG)
    assert before < len(calls) <= before + 4
