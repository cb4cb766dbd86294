"""Steps of a store in Python: each line of its own package."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tallystick import Backend

from ..subject.sources import sources
from .observer import OnStep, StepObserver


class Lines(StepObserver):
    """Each line in the packages of a backend's class and its bases is a step of the thread that executes it."""

    share = 0.02

    def __init__(self, backend: type[Backend]) -> None:
        self._files = sources(backend)
        self._on_step: OnStep | None = None

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """Observe the lines of the watched threads within the block."""
        self._on_step = on_step
        try:
            yield
        finally:
            self._on_step = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Trace the calling thread within the block."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(self._files) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and self._on_step is not None:
            self._on_step(None)
        return self._line
