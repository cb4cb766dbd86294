"""Ctrl-C wherever CPython can raise KeyboardInterrupt."""

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import Any

_send_sigint = ctypes.PYFUNCTYPE(None, *[ctypes.py_object] * 3)(("PyErr_SetInterrupt", ctypes.pythonapi))
"""A trace function that is no Python code: CPython would handle the signal in it already."""


def interrupts(call: Callable[[], object], files: tuple[str, ...], *, step: int = 1) -> Iterator[KeyboardInterrupt]:
    """Interrupt a call after each line of the files, or after each n-th; yield each exception, which keeps its frames.

    A trace function could raise the exception itself, but also where CPython never does: at the end of a `with` block,
    before the call of `__exit__`.
    """
    for lines in count(1, step):
        interrupt = _Interrupt(files, lines)
        handler, tracer = signal.signal(signal.SIGINT, interrupt.handle), sys.gettrace()
        try:
            sys.settrace(interrupt.trace)
            call()
        except KeyboardInterrupt as exc:
            caught = exc.with_traceback(exc.__traceback__ and exc.__traceback__.tb_next)  # not the frame of this one
        else:
            if not interrupt.was_raised:
                return
            continue  # CPython only prints what is raised in a generator that is freed
        finally:
            sys.settrace(tracer)
            signal.signal(signal.SIGINT, handler)
        yield caught


class _Interrupt:
    """Sends SIGINT to this thread after some lines. CPython handles it at its next check for signals."""

    def __init__(self, files: tuple[str, ...], lines: int) -> None:
        self.files = files
        self.left = lines
        self.was_raised = False

    def trace(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(self.files):
            return None
        self.left -= event == "line"
        return self.trace if self.left > 0 else _send_sigint

    def handle(self, _: int, frame: FrameType | None) -> None:
        if frame and frame.f_code is self.trace.__code__:
            return  # only a test has this function; it sends the signal again
        sys.settrace(None)
        self.was_raised = True
        raise KeyboardInterrupt
