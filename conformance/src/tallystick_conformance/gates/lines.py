"""Steps of a store in Python: each line of its own package."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tallystick import Backend

from .steps import OnStep, Steps

_KIT = __package__.partition(".")[0]


class Lines(Steps):
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


def sources(backend: type[Backend]) -> tuple[str, ...]:
    """Return the prefixes of the names of the files in which a backend and its bases are written."""
    return tuple({_files(base) for base in backend.__mro__ if base not in Backend.__mro__})


def _files(cls: type) -> str:
    """Return the prefix of the file names of a class's package, or its module's file name if the kit contains it."""
    module = sys.modules.get(cls.__module__)
    if module is None:  # its loader did not register it
        return cls.__module__
    package = sys.modules.get(cls.__module__.partition(".")[0], module)
    file = getattr(package, "__file__", None)
    if file is None or package.__name__ == _KIT:
        return getattr(module, "__file__", None) or cls.__module__
    return f"{Path(file).parent}{os.sep}" if hasattr(package, "__path__") else file
