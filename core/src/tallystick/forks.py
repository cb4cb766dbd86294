"""Forks: which process a client belongs to, and what becomes of it in a child.

A fork copies an object but not the threads that serve it. Its locks stay as they were at that moment, and its
connections still belong to the parent.
"""

import os
from typing import Any, Protocol
from weakref import WeakSet

from .errors import Closed


class Owner:
    """The process that opened a client. Check it before you take a lock of the client or touch its connections."""

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_this_process(self) -> bool:
        """Whether the client was opened in this process, and not in one that it was forked from."""
        return self._pid == os.getpid()

    def check(self) -> None:
        """Raise `Closed` in a process that was forked from the owner."""
        if not self.is_this_process:
            raise Closed(
                f"this backend was opened by process {self._pid}, and a forked child ({os.getpid()}) cannot use it; "
                "open another in the child with tallystick.open_backend(url)"
            )


class Forked(Protocol):
    """An object that changes in a forked child."""

    def after_fork_in_child(self) -> None:
        """Drop what belongs to the parent. Replace locks and never take one: a thread of the parent may hold it."""


_watched: WeakSet[Forked] = WeakSet()
_kept: list[tuple[Forked, dict[str, Any]]] = []
"""What a child inherited. Finalizers of drivers would speak on the parent's connections, so none of it is dropped."""


def watch(forked: Forked) -> None:
    """Call `after_fork_in_child` of an object in each child that this process forks, and keep what it had."""
    _watched.add(forked)


def _after_fork_in_child() -> None:
    for forked in list(_watched):
        _kept.append((forked, dict(vars(forked))))
        forked.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
