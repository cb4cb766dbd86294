"""Find the runner of the current handler, or the only open runner."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakSet

from ..errors import NoCurrentRunner

open_runners: WeakSet[object] = WeakSet()
"""The runners of this process whose store is open."""

unclosed_runners: WeakSet[object] = WeakSet()
"""The runners of this process that were created and not closed. A runner opens its store at its first use."""

_current: ContextVar[object] = ContextVar("tallystick_runner")

_inherited: ContextVar[object] = ContextVar("tallystick_inherited_runner")
"""In a child process that a handler forked: the handler's runner, which runs no jobs there."""


@contextmanager
def made_current(runner: object) -> Iterator[None]:
    """Make a runner the current one inside the block."""
    token = _current.set(runner)
    try:
        yield
    finally:
        _current.reset(token)


def is_inside(runner: object) -> bool:
    """Return whether the caller is a handler or callback of this runner."""
    return _current.get(None) is runner


def current() -> object:
    """Return the runner of the current handler, or else the only open runner. If none is open, return the only one.

    Raises:
        NoCurrentRunner: no runner exists, or several do.
    """
    if (runner := _current.get(None) or _inherited.get(None)) is not None:
        return runner
    runners = list(open_runners) or list(unclosed_runners)
    if len(runners) != 1:
        raise NoCurrentRunner(
            f"{len(open_runners)} runners are open in this process, and {len(unclosed_runners)} exist; "
            "Runner.current() works inside a handler, or while exactly one runner is open or exists. If a handler "
            "starts threads, call Runner.current() in the handler and pass the runner on, or start each thread's "
            "function with `contextvars.copy_context().run`"
        )
    return runners[0]


def _after_fork_in_child() -> None:
    if (runner := _current.get(None)) is not None:
        _inherited.set(runner)
        _current.set(None)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
