"""Stop a worker process on SIGTERM and SIGINT: the first signal stops it, the second ends the grace period."""

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
    """The received signals. A signal handler may put into a SimpleQueue, but must not touch an Event or a lock.

    A supervisor makes requests in place of signals. A service manager may also signal all processes of a service. So
    a request and the first signal count as one: only a second signal, or a request to hurry, ends the grace period.
    """

    def __init__(self) -> None:
        self.requested = False
        self._came: SimpleQueue[int] = SimpleQueue()
        self._taken = False
        self._hurried = False

    def request(self, *, hurry: bool = False) -> None:
        """Request a stop, or the end of the grace period. Repeat: harmless, from any thread."""
        self.requested = True
        self._hurried = self._hurried or hurry

    def wait(self, ended: Callable[[], bool]) -> None:
        """Wait for the first signal or request, or until `ended` returns True.

        This polls: a signal that arrives just before the main thread falls asleep does not wake it. Its handler runs
        when the thread wakes up.
        """
        while not ended() and not self.requested:
            with suppress(Empty):
                self._came.get(timeout=_POLL_SECONDS)
                self._taken = True
                return

    def again(self) -> bool:
        """Return whether another signal has arrived."""
        first = self.requested and not self._taken
        return self._hurried or self._came.qsize() > first

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Record a signal."""
        self._came.put(number)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Receive SIGTERM and SIGINT inside the block, then restore their handlers.

    Python delivers signals only to the main thread. In any other thread, this receives none.
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
            if handler is not None:  # None: the handler was not installed from Python and cannot be restored
                signal.signal(number, handler)


@contextmanager
def process_signals() -> Iterator[StopSignals]:
    """Receive SIGTERM and SIGINT for `stop_signals` in the block, then ignore them until the process has ended.

    A signal after the block ends the process only if threads of the application hold up its exit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield StopSignals()
        return
    signals = StopSignals()
    for number in _NUMBERS:
        signal.signal(number, signals.receive)
    # at exit Python resets its own handlers to the default, which kills the process; ignored signals stay ignored
    atexit.register(_ignore)
    try:
        yield signals
    finally:
        for number in _NUMBERS:
            signal.signal(number, _exit_if_blocked)


def _receiving() -> StopSignals | None:
    receivers = [getattr(signal.getsignal(number), "__self__", None) for number in _NUMBERS]
    first = receivers[0]
    return first if isinstance(first, StopSignals) and all(other is first for other in receivers) else None


def _ignore() -> None:
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _exit_if_blocked(number: int, frame: FrameType | None) -> None:
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        with suppress(OSError, ValueError, RuntimeError):
            sys.stdout.flush()
        os._exit(0)
