"""Make forks safe: close every connection before a fork, and wait until no thread is inside SQLite.

SQLite tracks the locks of a process in its own memory. A fork copies that memory, but not the locks. A child could
wait for ever for a write of another thread of its parent, or assume that it holds a lock. So this module closes idle
connections before a fork; their next use opens them again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Lock, RLock
from time import monotonic
from typing import Protocol, TypeVar
from weakref import WeakSet

from tallystick import Unavailable

_PATIENCE = 5.0
"""Seconds that a fork waits for running calls. If a call takes longer, the child cannot use its file."""

T = TypeVar("T")

_File = tuple[int, int]
"""The device and inode, by which SQLite identifies a file."""


class Pausable(Protocol):
    """A connection that stays open between calls."""

    path: Path

    def stop_calls(self) -> None:
        """Let no further call begin until `resume`."""

    def pause(self, seconds: float) -> bool:
        """Close when the running call has ended; return False and do nothing if it outlasts `seconds`."""

    def resume(self) -> None:
        """Allow calls again."""


class _Use:
    """A short-lived use of a file. If Ctrl-C interrupts its end, a fork forgets it once the exception is freed."""

    def __init__(self, path: Path) -> None:
        self.path = path


class _Process:
    """The connections and short-lived uses of files in this process."""

    def __init__(self) -> None:
        self.turn = Lock()  # one thread forks at a time
        self.connections: WeakSet[Pausable] = WeakSet()
        self.stopped: list[Pausable] = []
        self.lock = RLock()
        self.gate = Condition(self.lock)
        self.short: WeakSet[_Use] = WeakSet()
        self.busy: set[_File] = set()

    def before_fork(self) -> None:
        self.turn.acquire()
        deadline = monotonic() + _PATIENCE
        self.stopped = list(self.connections)
        for connection in self.stopped:  # all of them first: a call may wait for a file that further calls keep locked
            connection.stop_calls()
        busy = {
            connection.path for connection in self.stopped if not connection.pause(max(0.0, deadline - monotonic()))
        }
        self.gate.acquire()
        self.gate.wait_for(lambda: not self.short, max(0.0, deadline - monotonic()))
        self.busy = {file for path in busy | {use.path for use in self.short} if (file := _file(path))}

    def after_fork_in_parent(self) -> None:
        self.gate.release()
        while self.stopped:
            self.stopped.pop().resume()
        self.turn.release()


_process = _Process()
_unusable: set[_File] = set()
"""The files that the parent was using at the fork, for which SQLite's lock state in this process is wrong."""

_kept: list[_Process] = []


def watch(connection: Pausable) -> None:
    """Register a connection, to close it before each fork."""
    _process.connections.add(connection)


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Make a fork wait for the end of the block, which opens and closes a connection of its own."""
    process, use = _process, _Use(path)
    with process.lock:
        process.short.add(use)
    try:
        yield
    finally:
        with process.lock:
            process.short.discard(use)
            process.gate.notify_all()


def open_connection(path: Path, connect: Callable[[], T]) -> T:
    """Open a connection, but not during a fork.

    Raises:
        Unavailable: this process was forked during a call on the file.
    """
    if _unusable and _file(path) in _unusable:
        raise Unavailable(
            f"{path} cannot be used in this process: it was forked while its parent was in a call on that file. "
            "Fork when no call is running, or start the process with the 'spawn' method"
        )
    with _process.lock:
        return connect()


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
    global _process  # noqa: PLW0603 - one per process
    _unusable.update(_process.busy)
    _kept.append(_process)  # never close the parent's connections: that would wait for their calls
    _process = _Process()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
