"""SIGINT and SIGTERM end a run alike: with what was found so far, and with everything torn down."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def as_interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the first signal, and give the numbers of those that came.

    A second one has its usual effect, since a backend under test may hang.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _ENDING}

    def interrupt(number: int, _: FrameType | None) -> None:
        came.append(number)
        for one, usual in before.items():
            signal.signal(one, usual)
        raise KeyboardInterrupt

    for number in _ENDING:
        signal.signal(number, interrupt)
    try:
        yield came
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


@contextmanager
def spared() -> Iterator[None]:
    """Start processes that a Ctrl-C at the terminal, which reaches them too, does not make print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
