"""Sleep until another process may have committed: on Linux, inotify reports writes to the files."""

import ctypes
import os
import select
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path

_IN_MODIFY = 0x2
"""From `sys/inotify.h`."""

_NOT_WATCHED = -1
"""In place of the number of a watch: the file does not exist, or the user watches too many."""

_SHORTEST_SECONDS = 0.001
_SHORT_SECONDS = 0.010
_LONGEST_SECONDS = 0.512


class FileChanges:
    """Watches the files of a store from the first `pauses` until `close`. `next_pause` is that of the next `wait`."""

    def __init__(self, path: Path) -> None:
        self.next_pause = _SHORTEST_SECONDS
        self._paths = (path, path.with_name(f"{path.name}-wal"))
        self._inotify: _Inotify | None = None
        self._watched: tuple[int, ...] = ()

    def pauses(self) -> "Pauses":
        """Return the pauses of one `wait`. Several threads may wait at the same time.

        They go on where the pauses of the `wait` before ended, unless a write since then may not be reported.
        """
        inotify = self._inotify = self._inotify or _Inotify.open()
        watched = inotify.watch(self._paths) if inotify else ()  # again, because a fork replaces the log
        if not watched or _NOT_WATCHED in watched or watched != self._watched:
            self._watched, self.next_pause = watched, _SHORTEST_SECONDS
        return Pauses(self, inotify)

    def close(self) -> None:
        """Stop watching, once no thread waits. This takes Linux up to 20 ms, so `wait` does not do it."""
        self._inotify, self._watched = None, ()


class Pauses:
    """Pauses that double from 1 ms without writes. A write ends a long one.

    After a write, SQLite waits for the disk, and only then lets others see the commit, so short pauses follow. A write
    does not end those: many writes cost no more than 125 looks a second. Without inotify (on other systems, or if the
    user has too many instances of it), all pauses are short.
    """

    def __init__(self, changes: FileChanges, inotify: "_Inotify | None") -> None:
        self._changes = changes
        self._inotify = inotify
        self._longest = _SHORT_SECONDS
        self._next = changes.next_pause
        if inotify is not None:
            self._longest = _LONGEST_SECONDS
            self._poller = select.poll()
            self._poller.register(inotify.fd)

    def sleep(self, seconds: float) -> None:
        """Sleep for the next pause, but at most for `seconds`."""
        pause, following = min(self._next, seconds), min(self._next * 2, self._longest)
        if self._next <= _SHORT_SECONDS:
            time.sleep(pause)
            if following <= _SHORT_SECONDS or not self._is_written(0):
                self._next = following
        else:
            self._next = _SHORTEST_SECONDS if self._is_written(pause) else following
        self._changes.next_pause = self._next

    def _is_written(self, seconds: float) -> bool:
        if self._inotify is None or not self._poller.poll(seconds * 1000):
            return False
        with suppress(BlockingIOError):  # another thread has read it
            os.read(self._inotify.fd, 4096)
        return True


class _Inotify:
    """A file descriptor that can be read after a write to one of the watched files. It is closed with the object."""

    def __init__(self, libc: ctypes.CDLL, fd: int) -> None:
        self.fd = fd
        self._libc = libc
        weakref.finalize(self, os.close, fd)

    @classmethod
    def open(cls) -> "_Inotify | None":
        """Return None if the system has no inotify, or no instance left for this user."""
        if sys.platform != "linux":
            return None
        libc = ctypes.CDLL(None)
        fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        return None if fd < 0 else cls(libc, fd)

    def watch(self, paths: tuple[Path, ...]) -> tuple[int, ...]:
        """Watch those files that exist; return the number of each watch. A file that is watched keeps its number."""
        return tuple(self._libc.inotify_add_watch(self.fd, os.fsencode(path), _IN_MODIFY) for path in paths)
