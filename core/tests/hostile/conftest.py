from collections.abc import Iterator
from threading import Event

import pytest


@pytest.fixture
def release() -> Iterator[Event]:
    """Return an event that a blocked handler waits for; set it after the test."""
    event = Event()
    yield event
    event.set()
