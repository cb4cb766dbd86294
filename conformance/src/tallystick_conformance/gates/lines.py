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
    """Each line that a worker's thread executes in the packages of a backend's class and of its bases."""

    share = 0.02

    def __init__(self, backend: type[Backend]) -> None:
        self._files = sources(backend)
        self._on_step: OnStep | None = None

    @contextmanager
    def armed(self, on_step: OnStep) -> Iterator[None]:
        """See the lines of the threads that are watched."""
        self._on_step = on_step
        try:
            yield
        finally:
            self._on_step = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Trace the calling thread."""
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
    """Return what the names of the files begin with in which a backend and its bases are written."""
    return tuple({_files(base) for base in backend.__mro__ if base not in Backend.__mro__})


def _files(cls: type) -> str:
    """Return what the file names of a class's package begin with; a class in the kit has its module only."""
    module = sys.modules.get(cls.__module__)
    if module is None:  # it was loaded by hand
        return cls.__module__
    package = sys.modules.get(cls.__module__.partition(".")[0], module)
    file = getattr(package, "__file__", None)
    if file is None or package.__name__ == _KIT:
        return getattr(module, "__file__", None) or cls.__module__
    return f"{Path(file).parent}{os.sep}" if hasattr(package, "__path__") else file
