"""Closing a backend whose server cannot be reached."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Self

import pytest
from servers import mongo_server
from support import eventually
from tallystick import Closed
from tallystick.backends.waiting import WakeUps
from tallystick_mongo import MongoBackend, listener
from tallystick_mongo.listener import Listener

HOUR_MS = 3_600_000


class Silent:
    """A change stream that blocks until the test releases it."""

    alive = True

    def __init__(self) -> None:
        self.reading, self.released = Event(), Event()

    @contextmanager
    def watch(self) -> Iterator[Self]:
        """Open it."""
        yield self

    def try_next(self) -> None:
        """Block, then find no change."""
        self.reading.set()
        assert self.released.wait(20)


def test_it_does_not_wait_for_a_server_that_is_gone() -> None:
    """`close` does not wait for a server that is gone, as pymongo would to end its sessions."""
    with mongo_server() as server:
        backend = MongoBackend.from_url(f"{server.url}?serverSelectionTimeoutMS={HOUR_MS}&heartbeatFrequencyMS=500")
        backend.setup()
        client = backend._connection.client
        server.crash()
        eventually(lambda: not client.topology_description.has_readable_server())
        backend.close()


def test_it_does_not_wait_for_a_server_that_is_silent(silent_port: int) -> None:
    """`close` ends a call that is selecting a server, instead of waiting for it."""
    backend = MongoBackend.from_url(f"mongodb://127.0.0.1:{silent_port}/?serverSelectionTimeoutMS={HOUR_MS}")
    with ThreadPoolExecutor() as pool:
        call = pool.submit(backend.queues)
        eventually(lambda: backend._connection._client is not None)
        backend.close()
        assert isinstance(call.exception(), Closed)


def test_it_does_not_wait_for_a_stream_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """`close` leaves the reading thread to end after the driver returns."""
    monkeypatch.setattr(listener, "_LONGEST_JOIN", 0.0)
    stream = Silent()
    reading = Listener(WakeUps())
    reading.start(stream.watch)
    assert stream.reading.wait(20)
    thread = reading._thread
    reading.close()
    assert thread is not None
    assert thread.is_alive()
    stream.released.set()
    eventually(lambda: not thread.is_alive())
