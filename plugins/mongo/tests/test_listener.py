"""The listener, on fake change streams that fail and end on request."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from support import eventually
from tallystick.backends.waiting import WakeUps
from tallystick_mongo.listener import Listener

QUEUES = ["default"]
MINUTES = 300.0


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
def wake_ups() -> WakeUps:
    return WakeUps()


@pytest.fixture
def listener(stream: Stream, wake_ups: WakeUps) -> Iterator[Listener]:
    @contextmanager
    def watch() -> Iterator[Stream]:
        yield stream

    never = wake_ups.seen(QUEUES)
    listener = Listener(wake_ups)
    listener.start(watch)
    eventually(lambda: wake_ups.seen(QUEUES) != never)
    yield listener
    listener.close()


@pytest.mark.usefixtures("listener")
def test_a_change_wakes(stream: Stream, wake_ups: WakeUps) -> None:
    """A change wakes a sleep, which does not end earlier."""
    seen = wake_ups.seen(QUEUES)
    assert wake_ups.sleep(QUEUES, seen, 0.05)
    assert wake_ups.seen(QUEUES) == seen
    stream.changes.put({"operationType": "insert"})
    assert wake_ups.sleep(QUEUES, seen, MINUTES)
    assert wake_ups.seen(QUEUES) != seen


@pytest.mark.usefixtures("listener")
def test_a_reopened_stream_wakes(stream: Stream, wake_ups: WakeUps) -> None:
    """Reopening the stream wakes a sleep, because changes may have been missed."""
    seen = wake_ups.seen(QUEUES)
    stream.changes.put(AutoReconnect("lost"))
    assert wake_ups.sleep(QUEUES, seen, MINUTES)
    assert wake_ups.seen(QUEUES) != seen


@pytest.mark.usefixtures("listener")
def test_a_stream_that_ended_is_opened_again(stream: Stream, wake_ups: WakeUps) -> None:
    """A stream that ended, as after its database was dropped, is opened again."""
    seen = wake_ups.seen(QUEUES)
    stream.alive = False
    assert wake_ups.sleep(QUEUES, seen, MINUTES)
    stream.alive = True
    seen = wake_ups.seen(QUEUES)
    stream.changes.put({"operationType": "insert"})
    assert wake_ups.sleep(QUEUES, seen, MINUTES)
    eventually(lambda: wake_ups.seen(QUEUES) != seen)


def test_closing_wakes(listener: Listener, wake_ups: WakeUps) -> None:
    """Closing the listener wakes a sleep, which returns False."""
    listener.close()
    assert not wake_ups.sleep(QUEUES, wake_ups.seen(QUEUES), MINUTES)
