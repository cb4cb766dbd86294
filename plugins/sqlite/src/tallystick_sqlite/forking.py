"""Forks: the SQLite library must not be in use, and nothing may be open, when this process forks.

SQLite keeps the locks of a process in tables of its own, by file. A fork copies the tables and not the locks. So a
child would wait for ever for a write of its parent's other threads, or believe in a lock that it does not have.
Therefore idle connections are closed before a fork, and opened again at the next use.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock
from time import monotonic
from typing import Protocol
from weakref import WeakSet

from tallystick import Unavailable

_PATIENCE = 5.0
"""Seconds that a fork waits for calls under way. A child of a longer call cannot use the file of that call."""

_File = tuple[int, int]
"""The device and the inode, by which SQLite knows a file."""


class Pausable(Protocol):
    """A connection that is kept open between calls."""

    path: Path

    def pause(self, seconds: float) -> bool:
        """Close, and let no call begin until `resume`; return False if a call did not end in time."""

    def resume(self) -> None:
        """Let calls begin."""


class _Process:
    """What this process has open."""

    def __init__(self) -> None:
        self.turn = Lock()  # of threads that fork
        self.connections: WeakSet[Pausable] = WeakSet()
        self.paused: list[Pausable] = []
        self.gate = Condition()
        self.short: Counter[Path] = Counter()
        self.busy: set[_File] = set()

    def before_fork(self) -> None:
        self.turn.acquire()
        deadline = monotonic() + _PATIENCE
        busy = set()
        for connection in list(self.connections):
            if connection.pause(max(0.0, deadline - monotonic())):
                self.paused.append(connection)
            else:
                busy.add(connection.path)
        self.gate.acquire()
        self.gate.wait_for(lambda: not +self.short, max(0.0, deadline - monotonic()))
        self.busy = {file for path in busy | set(+self.short) if (file := _file(path))}

    def after_fork_in_parent(self) -> None:
        self.gate.release()
        while self.paused:
            self.paused.pop().resume()
        self.turn.release()


_process = _Process()
_unusable: set[_File] = set()
"""The files that the parent used at the fork, so that SQLite's tables of this process are wrong."""

_kept: list[_Process] = []


def watch(connection: Pausable) -> None:
    """Close a connection before each fork."""
    _process.connections.add(connection)


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Let a fork wait for the end of the block, which opens a connection and closes it again."""
    process = _process
    with process.gate:
        process.short[path] += 1
    try:
        yield
    finally:
        with process.gate:
            process.short[path] -= 1
            process.gate.notify_all()


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Open no connection while this process forks.

    Raises:
        Unavailable: SQLite cannot use the file in this process.
    """
    if _unusable and _file(path) in _unusable:
        raise Unavailable(
            f"{path} cannot be used in this process: it was forked while its parent was in a call on that file. "
            "Fork when no call is under way, or start the process with the 'spawn' method"
        )
    with _process.gate:
        yield


def _file(path: Path) -> _File | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _before_fork() -> None:
    _process.before_fork()


def _after_fork_in_parent() -> None:
    _process.after_fork_in_parent()


def _after_fork_in_child() -> None:
    global _process  # noqa: PLW0603 - a process has one
    _unusable.update(_process.busy)
    _kept.append(_process)  # to close a connection that the parent was using would wait for it
    _process = _Process()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
