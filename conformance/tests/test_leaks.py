"""Leaks: what a client leaves behind is found."""

import os
from threading import Event, Thread
from typing import Any

import pytest
from tallystick import Backend
from tallystick_conformance import Target, conform
from tallystick_memory import MemoryBackend


class KeepsAThread(MemoryBackend):
    """Starts a thread that does not end when it is closed."""

    over = Event()

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        Thread(target=self.over.wait, daemon=True).start()


class KeepsADescriptor(MemoryBackend):
    """Opens a file for each refused call."""

    kept: list[int] = []  # noqa: RUF012

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Open one."""
        self.kept.append(os.open(os.devnull, os.O_RDONLY))
        return super().rescue(limit=limit, now=now)


@pytest.mark.parametrize(("backend", "clause"), [(KeepsAThread, "LEAK-01"), (KeepsADescriptor, "LEAK-02")])
def test_what_is_left_is_found(backend: type[Backend], clause: str) -> None:
    """A thread or a descriptor for each client breaks the clause on it."""
    KeepsAThread.over.clear()
    report = conform(Target.from_class(backend, "memory://"), only=[clause])
    KeepsAThread.over.set()
    while KeepsADescriptor.kept:
        os.close(KeepsADescriptor.kept.pop())

    assert [violation.clause_id for violation in report.violations] == [clause]
