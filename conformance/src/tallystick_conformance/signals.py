"""Let SIGINT and SIGTERM end a run in the same way: with the findings so far, and with every store removed."""

import _thread
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import main_thread
from time import sleep
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_ENDING = (signal.SIGINT, signal.SIGTERM)

_SOON = 0.01
"""Seconds after which a lost interrupt is raised again."""


@contextmanager
def as_interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the first signal, and yield a list of the received signals.

    A second signal has its usual effect, because a backend under test may hang. In some places, such as a garbage
    collection, Python only prints an exception; an interrupt that is lost there is raised again.
    """
    received: list[int] = []
    in_hook = False
    before = {number: signal.getsignal(number) for number in _ENDING}
    previous_hook = sys.unraisablehook

    def interrupt(number: int, _: FrameType | None) -> None:
        if in_hook:  # Python would ignore an exception here, too
            _thread.start_new_thread(_interrupt_soon, (number,))
            return
        received.append(number)
        for signum, usual in before.items():
            signal.signal(signum, usual)
        raise KeyboardInterrupt

    def listen() -> None:
        for number in _ENDING:
            signal.signal(number, interrupt)

    def unraisable(lost: "UnraisableHookArgs") -> None:
        nonlocal in_hook
        if lost.exc_type is KeyboardInterrupt and received:
            in_hook = True
            listen()
            _thread.start_new_thread(_interrupt_soon, (received.pop(),))
            in_hook = False
        else:
            previous_hook(lost)

    listen()
    sys.unraisablehook = unraisable
    try:
        yield received
    finally:
        sys.unraisablehook = previous_hook
        for number, usual in before.items():
            signal.signal(number, usual)


def _interrupt_soon(number: int) -> None:
    """Send a signal to the main thread, even if that thread is blocked."""
    sleep(_SOON)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


@contextmanager
def spared() -> Iterator[None]:
    """Block SIGINT in the processes started here, so that a Ctrl-C makes them print no traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
