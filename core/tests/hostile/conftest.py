from collections.abc import Iterator
from threading import Event

import pytest


@pytest.fixture
def release() -> Iterator[Event]:
    """Return what a blocked handler waits for; set at the end of the test."""
    event = Event()
    yield event
    event.set()
