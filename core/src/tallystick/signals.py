"""SIGTERM and SIGINT as a worker process wants them: the first stops it, the second hurries it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

_LOOK_UP_SECONDS = 0.2


class StopSignals:
    """The signals that came. A signal handler may put into a SimpleQueue, but must not touch an Event or a lock."""

    def __init__(self) -> None:
        self._came: SimpleQueue[int] = SimpleQueue()

    def wait(self) -> None:
        """Return once the first has come.

        It looks up now and then: a signal that comes just before the main thread falls asleep does not wake it, and its
        handler runs when it is awake again.
        """
        while True:
            with suppress(Empty):
                self._came.get(timeout=_LOOK_UP_SECONDS)
                return

    def again(self) -> bool:
        """Say whether another has come since."""
        return not self._came.empty()

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal."""
        self._came.put(number)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Receive SIGTERM and SIGINT inside the block, which must run in the main thread."""
    signals = StopSignals()
    before = {number: signal.signal(number, signals.receive) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
