"""Closing, where the server cannot be reached any more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Self

import pytest
from servers import mongo_server
from support import eventually
from tallystick import Closed
from tallystick_mongo import MongoBackend, listener
from tallystick_mongo.listener import Listener

HOUR_MS = 3_600_000


class Silent:
    """A stream that answers once it is told to."""

    alive = True

    def __init__(self) -> None:
        self.asked, self.goes_on = Event(), Event()

    @contextmanager
    def watch(self) -> Iterator[Self]:
        """Open it."""
        yield self

    def try_next(self) -> None:
        """Find nothing, after a while."""
        self.asked.set()
        assert self.goes_on.wait(20)


def test_it_does_not_wait_for_a_server_that_is_gone() -> None:
    """The server is not looked for, for as long as a call would, only to be told of sessions that it has lost."""
    with mongo_server() as server:
        backend = MongoBackend.from_url(f"{server.url}?serverSelectionTimeoutMS={HOUR_MS}&heartbeatFrequencyMS=500")
        backend.setup()
        client = backend._connection.client
        server.crash()
        eventually(lambda: not client.topology_description.has_readable_server())
        backend.close()


def test_it_does_not_wait_for_a_server_that_is_silent(silent_port: int) -> None:
    """A call that is looking for its server ends by it, instead of holding it up."""
    backend = MongoBackend.from_url(f"mongodb://127.0.0.1:{silent_port}/?serverSelectionTimeoutMS={HOUR_MS}")
    with ThreadPoolExecutor() as pool:
        call = pool.submit(backend.queues)
        eventually(lambda: backend._connection._client is not None)
        backend.close()
        assert isinstance(call.exception(), Closed)


def test_it_does_not_wait_for_a_stream_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that reads it is left to end by itself, once the driver lets it go on."""
    monkeypatch.setattr(listener, "_LONGEST_JOIN", 0.0)
    stream = Silent()
    reading = Listener()
    reading.start(stream.watch)
    assert stream.asked.wait(20)
    thread = reading._thread
    reading.close()
    assert thread is not None
    assert thread.is_alive()
    stream.goes_on.set()
    eventually(lambda: not thread.is_alive())
