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


class KeepsOneOfEachStore(MemoryBackend):
    """The first client of a store opens a file, and keeps it."""

    kept: dict[str, int] = {}  # noqa: RUF012

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        if name not in self.kept:
            self.kept[name] = os.open(os.devnull, os.O_RDONLY)


class KeepsAFew(MemoryBackend):
    """A pool that the clients share grows to eight files, and no further."""

    kept: list[int] = []  # noqa: RUF012

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        if len(self.kept) < 8:
            self.kept.append(os.open(os.devnull, os.O_RDONLY))


def test_one_client_of_each_store_is_a_leak() -> None:
    """What is left of each store is found, however many clients of one store leave nothing."""
    report = conform(Target.from_class(KeepsOneOfEachStore, "memory://"), only=["LEAK-01"])
    while KeepsOneOfEachStore.kept:
        os.close(KeepsOneOfEachStore.kept.popitem()[1])

    assert [violation.clause_id for violation in report.violations] == ["LEAK-01"]


def test_a_few_more_are_no_leak() -> None:
    """Descriptors that grow up to a limit, and not with the number of clients, break nothing."""
    report = conform(Target.from_class(KeepsAFew, "memory://"), only=["LEAK"])
    while KeepsAFew.kept:
        os.close(KeepsAFew.kept.pop())

    assert report.violations == []


@pytest.mark.parametrize(("backend", "clause"), [(KeepsAThread, "LEAK-01"), (KeepsADescriptor, "LEAK-02")])
def test_what_is_left_is_found(backend: type[Backend], clause: str) -> None:
    """A thread or a descriptor for each client breaks the clause on it."""
    KeepsAThread.over.clear()
    report = conform(Target.from_class(backend, "memory://"), only=[clause])
    KeepsAThread.over.set()
    while KeepsADescriptor.kept:
        os.close(KeepsADescriptor.kept.pop())

    assert [violation.clause_id for violation in report.violations] == [clause]
