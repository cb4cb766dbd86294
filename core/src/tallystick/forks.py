"""Detect use of a client in a forked child, and reset clients there.

A fork copies an object, but not its threads. In the child, a lock that a thread of the parent held stays locked, and
the connections still belong to the parent.
"""

import os
from typing import Any, Protocol
from weakref import WeakSet

from .errors import Closed


class Owner:
    """The process that opened a client. Check it before you take a lock or use a connection of the client."""

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_this_process(self) -> bool:
        """Whether this process opened the client."""
        return self._pid == os.getpid()

    def check(self) -> None:
        """Raise `Closed` in a forked child of the owner."""
        if self._pid != os.getpid():
            raise Closed(
                f"this backend was opened by process {self._pid}, and a forked child ({os.getpid()}) cannot use it; "
                "open another in the child with tallystick.open_backend(url)"
            )


class Forked(Protocol):
    """An object that must be reset in a forked child."""

    def after_fork_in_child(self) -> None:
        """Drop the parent's threads and connections. Replace its locks; do not take them: they may be held."""


_watched: WeakSet[Forked] = WeakSet()
_kept: list[tuple[Forked, dict[str, Any]]] = []
"""Inherited state. It is never freed, because finalizers of drivers would write to the parent's connections."""


def watch(forked: Forked) -> None:
    """Call `after_fork_in_child` of an object in each forked child, and keep the object's old attributes alive."""
    _watched.add(forked)


def _after_fork_in_child() -> None:
    for forked in list(_watched):
        _kept.append((forked, dict(vars(forked))))
        forked.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
