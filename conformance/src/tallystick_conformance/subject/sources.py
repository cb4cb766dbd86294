"""The source files of a backend."""

import os
import sys
from pathlib import Path

from tallystick import Backend

_KIT = __package__.partition(".")[0]


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
