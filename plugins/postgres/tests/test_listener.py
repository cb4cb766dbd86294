"""Waking waiting workers: promptly, once per queue, and after a lost connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

import psycopg
import pytest
from support import PATIENCE, eventually
from tallystick import NewRecord
from tallystick.backends.waiting import Seen
from tallystick_postgres import PostgresBackend
from tallystick_postgres.listener import Listener

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


def connected(backend: PostgresBackend) -> Listener:
    """Return the listener when it has connected."""
    eventually(lambda: backend.wait(["default"], timeout=timedelta(seconds=0.02)) or backend._listener.listening)
    return backend._listener


@contextmanager
def sleeping(backend: PostgresBackend, *queues: str) -> Iterator[None]:
    """Sleep in one thread for each queue. They must wake by the end."""
    threads = [
        Thread(target=backend._listener.sleep, args=([queue], backend._wake_ups.seen([queue]), PATIENCE * 2))
        for queue in queues
    ]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def was_woken(backend: PostgresBackend, queue: str, seen: Seen) -> bool:
    return backend._wake_ups.seen([queue]) != seen


@pytest.mark.parametrize("end", ["wake", "close"])
def test_the_call_that_reads_is_woken_by_others(backend: PostgresBackend, end: str) -> None:
    """A call that reads the connection sleeps in a selector. A wake-up of this process, and `close`, end its sleep."""
    listener = connected(backend)
    with sleeping(backend, "a"):
        eventually(lambda: listener._is_asleep)
        if end == "wake":
            backend._wake_ups.wake(["a"])
        else:
            backend.close()


def test_another_call_reads_when_the_first_one_ends(
    backend: PostgresBackend, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls sleep. A notification ends one of them, whichever of the two reads. Then the other one reads."""
    monkeypatch.setattr("tallystick_postgres.listener._READ_EVERY", PATIENCE * 2)
    listener = connected(backend)
    for first, second in (("a", "b"), ("b", "a")):
        with PostgresBackend.from_url(url) as other, sleeping(backend, "a", "b"):
            eventually(lambda: listener._is_asleep)
            seen = backend._wake_ups.seen([first])
            other.insert([NewRecord(kind="k", queue=first)])
            eventually(partial(was_woken, backend, first, seen))
            other.insert([NewRecord(kind="k", queue=second)])


def test_notifications_are_read_while_no_call_sleeps(backend: PostgresBackend, url: str) -> None:
    """The server would keep them otherwise, until its queue is full and commits fail."""
    listener = connected(backend)
    with PostgresBackend.from_url(url) as other:
        other.insert([NewRecord(kind="k", queue="a")])
    eventually(lambda: listener.due(["a"]) == 1)


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
    connected(backend)
    backend.wait(["default"], timeout=timedelta(0))
    before = len(calls)
    assert not any(backend.wait(["default"], timeout=timedelta(seconds=0.01)) for _ in range(20))
    assert len(calls) == before
    backend.insert([NewRecord(kind="k", run_at=timedelta(seconds=0.2))])
    assert backend.wait(["default"], timeout=LONG)
    assert before < len(calls) <= before + 4
