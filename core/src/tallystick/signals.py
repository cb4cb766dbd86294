"""SIGTERM and SIGINT as a worker process wants them: the first stops it, the second ends the grace."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

_NUMBERS = (signal.SIGTERM, signal.SIGINT)

_POLL_SECONDS = 0.2


class StopSignals:
    """The signals that came. A signal handler may put into a SimpleQueue, but must not touch an Event or a lock."""

    def __init__(self) -> None:
        self._came: SimpleQueue[int] = SimpleQueue()

    def wait(self, ended: Callable[[], bool]) -> None:
        """Return once the first has come, or `ended` returns True.

        It polls: a signal that comes just before the main thread falls asleep does not wake it, and its handler runs
        when it is awake again.
        """
        while not ended():
            with suppress(Empty):
                self._came.get(timeout=_POLL_SECONDS)
                return

    def again(self) -> bool:
        """Return whether another has come since."""
        return not self._came.empty()

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal."""
        self._came.put(number)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Receive SIGTERM and SIGINT inside the block, then restore their handlers.

    Outside the main thread Python receives no signals, and this receives none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield StopSignals()
        return
    if (receiving := _receiving()) is not None:
        yield receiving
        return
    signals = StopSignals()
    before = {number: signal.signal(number, signals.receive) for number in _NUMBERS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that was not installed by Python cannot be restored by it
                signal.signal(number, handler)


@contextmanager
def process_signals() -> Iterator[None]:
    """Receive SIGTERM and SIGINT for `stop_signals` in the block; after it, until the process has ended, ignore them.

    A signal that comes after the block ends the process only where threads of the application hold up its exit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = StopSignals()
    for number in _NUMBERS:
        signal.signal(number, signals.receive)
    # while Python ends it resets its own handlers to the default, which kills; it leaves an ignored signal ignored
    atexit.register(_ignore)
    try:
        yield
    finally:
        for number in _NUMBERS:
            signal.signal(number, _end_if_held_up)


def _receiving() -> StopSignals | None:
    receivers = [getattr(signal.getsignal(number), "__self__", None) for number in _NUMBERS]
    first = receivers[0]
    return first if isinstance(first, StopSignals) and all(other is first for other in receivers) else None


def _ignore() -> None:
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _end_if_held_up(number: int, frame: FrameType | None) -> None:
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        with suppress(OSError, ValueError, RuntimeError):
            sys.stdout.flush()
        os._exit(0)
