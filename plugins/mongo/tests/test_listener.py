"""The listener, on streams that a test makes, so that they do what a server's do seldom."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from support import eventually
from tallystick_mongo.listener import Listener


class Stream:
    def __init__(self) -> None:
        self.alive = True
        self.changes: Queue[Any] = Queue()

    def try_next(self) -> Any:
        """Return what the test has put, raise it, or find nothing for a while."""
        try:
            change = self.changes.get(timeout=0.01)
        except Empty:
            return None
        if isinstance(change, Exception):
            raise change
        return change


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def listener(stream: Stream) -> Iterator[Listener]:
    @contextmanager
    def watch() -> Iterator[Stream]:
        yield stream

    listener = Listener()
    listener.start(watch)
    eventually(lambda: listener.woken == 1)
    yield listener
    listener.close()


def test_a_change_wakes(listener: Listener, stream: Stream) -> None:
    """Who waits goes on when something changes, and not before."""
    seen = listener.woken
    assert listener.wait(seen, 0.05)
    assert listener.woken == seen
    stream.changes.put({"operationType": "insert"})
    assert listener.wait(seen, 20)
    assert listener.woken > seen


def test_a_stream_that_stands_again_wakes(listener: Listener, stream: Stream) -> None:
    """What came while there was no stream is looked for once there is one."""
    seen = listener.woken
    stream.changes.put(AutoReconnect("lost"))
    assert listener.wait(seen, 20)
    assert listener.woken > seen


def test_a_stream_that_ended_is_opened_again(listener: Listener, stream: Stream) -> None:
    """After the database was dropped there are no more changes in a stream; what comes then, another one tells."""
    seen = listener.woken
    stream.alive = False
    assert listener.wait(seen, 20)
    stream.alive = True
    seen = listener.woken
    stream.changes.put({"operationType": "insert"})
    assert listener.wait(seen, 20)
    eventually(lambda: listener.woken > seen)


def test_closing_wakes(listener: Listener) -> None:
    """A closed listener tells who waits not to go on."""
    listener.close()
    assert not listener.wait(listener.woken, 20)
