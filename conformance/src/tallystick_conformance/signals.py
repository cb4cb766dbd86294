"""SIGINT and SIGTERM end a run alike: with what was found so far, and with everything torn down."""

import _thread
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, main_thread
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_ENDING = (signal.SIGINT, signal.SIGTERM)

_SOON = 0.01
"""Seconds after which an interrupt that nobody got is raised again."""


@contextmanager
def as_interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the first signal, and give the numbers of those that came.

    A second one has its usual effect, since a backend under test may hang. One that is raised where Python only prints
    what is raised, such as during a garbage collection, is raised again.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _ENDING}
    told = sys.unraisablehook

    def interrupt(number: int, _: FrameType | None) -> None:
        came.append(number)
        for one, usual in before.items():
            signal.signal(one, usual)
        raise KeyboardInterrupt

    def listen() -> None:
        for number in _ENDING:
            signal.signal(number, interrupt)

    def unraisable(lost: "UnraisableHookArgs") -> None:
        if lost.exc_type is KeyboardInterrupt and came:
            listen()
            Timer(_SOON, _interrupt, [came.pop()]).start()
        else:
            told(lost)

    listen()
    sys.unraisablehook = unraisable
    try:
        yield came
    finally:
        sys.unraisablehook = told
        for number, usual in before.items():
            signal.signal(number, usual)


def _interrupt(number: int) -> None:
    """Raise a signal in the main thread, which may be waiting for something."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


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
