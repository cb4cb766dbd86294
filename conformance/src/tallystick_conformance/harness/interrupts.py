"""Let SIGINT and SIGTERM end a run in the same way: with the findings so far, and with every store removed."""

import _thread
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import main_thread
from time import sleep
from types import CodeType, FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SOON = 0.01
"""Seconds between two looks at the main thread, before a lost interrupt is raised again."""


@contextmanager
def as_interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the first signal, and yield a list of the received signals.

    A second signal has its usual effect, because a backend under test may hang. In some places, such as a garbage
    collection, Python only prints an exception; an interrupt that is lost there is raised again.
    """
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    previous_hook = sys.unraisablehook

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.signal(signal.SIGTERM, before[signal.SIGTERM])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt

    def unraisable(lost: "UnraisableHookArgs") -> None:
        if lost.exc_type is KeyboardInterrupt and received:
            _thread.start_new_thread(_interrupt_after, (unraisable.__code__,))
        else:
            previous_hook(lost)

    sys.unraisablehook = unraisable
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield received
    finally:
        sys.unraisablehook = previous_hook
        for number, usual in before.items():
            signal.signal(number, usual)


def interrupt_main_thread() -> None:
    """Raise KeyboardInterrupt in the main thread, even if it is blocked, unless this process blocks SIGINT."""
    if hasattr(signal, "pthread_kill") and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()  # needs no signal, and waits for the end of a blocking call


def _interrupt_after(hook: CodeType) -> None:
    """Interrupt the main thread once it has left the hook, where Python would ignore it."""
    main = main_thread().ident or 0
    while _is_in(sys._current_frames().get(main), hook):  # noqa: SLF001 - the public way to see another thread's calls
        sleep(_SOON)
    interrupt_main_thread()


def _is_in(frame: FrameType | None, code: CodeType) -> bool:
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None
