"""The listener, on fake change streams that fail and end on request."""

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
        """Return or raise the next item of the test, or return None after a while."""
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
    """A change wakes `wait`, which does not return earlier."""
    seen = listener.woken
    assert listener.wait(seen, 0.05)
    assert listener.woken == seen
    stream.changes.put({"operationType": "insert"})
    assert listener.wait(seen, 20)
    assert listener.woken > seen


def test_a_reopened_stream_wakes(listener: Listener, stream: Stream) -> None:
    """Reopening the stream wakes `wait`, because changes may have been missed."""
    seen = listener.woken
    stream.changes.put(AutoReconnect("lost"))
    assert listener.wait(seen, 20)
    assert listener.woken > seen


def test_a_stream_that_ended_is_opened_again(listener: Listener, stream: Stream) -> None:
    """A stream that ended, as after its database was dropped, is opened again."""
    seen = listener.woken
    stream.alive = False
    assert listener.wait(seen, 20)
    stream.alive = True
    seen = listener.woken
    stream.changes.put({"operationType": "insert"})
    assert listener.wait(seen, 20)
    eventually(lambda: listener.woken > seen)


def test_closing_wakes(listener: Listener) -> None:
    """Closing the listener wakes `wait`, which returns False."""
    listener.close()
    assert not listener.wait(listener.woken, 20)
