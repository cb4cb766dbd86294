"""Forks: the sessions of a parent belong to it alone, and end with it."""

import os
import subprocess
import sys
from datetime import timedelta
from threading import Thread

import psycopg
import pytest
from support import eventually, in_child
from tallystick_postgres import PostgresBackend

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

PROGRAM = """
import os, signal, sys
from tallystick import open_backend

backend = open_backend(sys.argv[1])
backend.stats()
if os.fork() == 0:
    sys.stdin.read()  # until the test ends
    os._exit(0)
print("forked", flush=True)
signal.pause()
"""


def test_sessions_end_with_their_process(connection: psycopg.Connection, backend: PostgresBackend, url: str) -> None:
    """The server ends the sessions of a killed parent, even if a forked child is alive."""
    named = f"{url}&application_name=forking"
    command = [sys.executable, "-c", PROGRAM, named]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'forking'"
        assert connection.execute(sessions).fetchone()
        parent.kill()
        eventually(lambda: not connection.execute(sessions).fetchone())
        parent.communicate()


def test_close_while_a_child_is_alive(connection: psycopg.Connection, backend: PostgresBackend, schema: str) -> None:
    """A parent that listens can close while its forked child is alive."""
    waiter = Thread(target=lambda: backend.wait(["default"], timeout=timedelta(seconds=60)))
    waiter.start()
    listening = "SELECT 1 FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
    eventually(lambda: bool(connection.execute(listening, [f"%LISTEN%{schema}%"]).fetchone()))
    (is_forked, forked), (read_end, end) = os.pipe(), os.pipe()

    def child_main() -> bytes:
        os.close(end)  # so that the child ends with its parent
        os.write(forked, b"x")
        return os.read(read_end, 1)

    child = Thread(target=lambda: in_child(child_main))
    child.start()
    os.read(is_forked, 1)
    backend.close()
    waiter.join()
    os.write(end, b"x")
    child.join()
