"""Which runner is meant where none is named."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakSet

from .errors import NoCurrentRunner

open_runners: WeakSet[object] = WeakSet()
"""The runners of this process that have their store open."""

_current: ContextVar[object] = ContextVar("tallystick_runner")

_inherited: ContextVar[object] = ContextVar("tallystick_inherited_runner")
"""In a child that a handler forked: the handler's runner, which is not at work there."""


@contextmanager
def made_current(runner: object) -> Iterator[None]:
    """Mean this runner inside the block."""
    token = _current.set(runner)
    try:
        yield
    finally:
        _current.reset(token)


def is_inside(runner: object) -> bool:
    """Say whether a handler or callback of this runner is asking."""
    return _current.get(None) is runner


def current() -> object:
    """Return the runner whose handler this is, else the only one that is open.

    Raises:
        NoCurrentRunner: none is open, or several are.
    """
    if (runner := _current.get(None) or _inherited.get(None)) is not None:
        return runner
    runners = list(open_runners)
    if len(runners) != 1:
        raise NoCurrentRunner(
            f"{len(runners)} runners are open in this process; Runner.current() works inside a handler, and elsewhere "
            "where exactly one is open. In a thread that a handler started, use what it returned in the handler, or "
            "start each call by `contextvars.copy_context().run`"
        )
    return runners[0]


def _after_fork_in_child() -> None:
    if (runner := _current.get(None)) is not None:
        _inherited.set(runner)
        _current.set(None)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
