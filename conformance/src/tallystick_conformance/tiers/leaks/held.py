"""Count the threads and file descriptors that this process came to hold."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DESCRIPTORS = next((path for name in ("/proc/self/fd", "/dev/fd") if (path := Path(name)).is_dir()), None)
"""The folder that lists the file descriptors of this process, if the platform has one."""


@contextmanager
def newly_held() -> Iterator[Callable[[], tuple[int, int]]]:
    """Yield a function that counts the threads and the file descriptors that did not exist at the start of the block.

    Other code in this process may close its own at any time, which would hide a leak if it counted. The garbage
    collector ignores all earlier objects during the block, which also makes a collection fast.
    """
    gc.collect()
    gc.freeze()
    try:
        threads, descriptors = _threads(), _descriptors()
        yield lambda: (len(_threads() - threads), len(_descriptors() - descriptors))
    finally:
        gc.unfreeze()


def _threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def _descriptors() -> set[tuple[int, int, int]]:
    """Return the descriptors with the files that they refer to: a number may be used again for another file."""
    found = set()
    for path in list(DESCRIPTORS.iterdir()) if DESCRIPTORS else ():
        with suppress(OSError):  # it is closed by now: it was that of the folder
            status = os.fstat(int(path.name))
            found.add((int(path.name), status.st_dev, status.st_ino))
    return found
