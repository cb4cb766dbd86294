"""Leaks: the kit finds threads and descriptors that clients leave open."""

import os
from threading import Event, Thread
from typing import Any

import pytest
from tallystick import Backend
from tallystick_conformance import Target, conform
from tallystick_memory import MemoryBackend


class KeepsAThread(MemoryBackend):
    """Starts a thread that `close` does not end."""

    over = Event()

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        Thread(target=self.over.wait, daemon=True).start()


class KeepsADescriptor(MemoryBackend):
    """Opens a file in each rescue."""

    kept: list[int] = []  # noqa: RUF012

    def rescue(self, *, limit: int, now: Any = None) -> Any:
        """Open a file, and rescue."""
        self.kept.append(os.open(os.devnull, os.O_RDONLY))
        return super().rescue(limit=limit, now=now)


class KeepsOneOfEachStore(MemoryBackend):
    """The first client of a store opens a file and never closes it."""

    kept: dict[str, int] = {}  # noqa: RUF012

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        if name not in self.kept:
            self.kept[name] = os.open(os.devnull, os.O_RDONLY)


class KeepsAFew(MemoryBackend):
    """The clients share a pool that grows to eight files."""

    kept: list[int] = []  # noqa: RUF012

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        if len(self.kept) < 8:
            self.kept.append(os.open(os.devnull, os.O_RDONLY))


def test_one_client_of_each_store_is_a_leak() -> None:
    """A leak per store is found, even if further clients of the same store leak nothing."""
    report = conform(Target.from_class(KeepsOneOfEachStore, "memory://"), only=["LEAK-01"])
    while KeepsOneOfEachStore.kept:
        os.close(KeepsOneOfEachStore.kept.popitem()[1])

    assert [violation.clause_id for violation in report.violations] == ["LEAK-01"]


def test_descriptors_that_other_code_closes_hide_no_leak() -> None:
    """A leak is found even if other code closes as many of its own descriptors at the same time."""
    others = [os.open(__file__, os.O_RDONLY) for _ in range(100)]

    class WhileOthersClose(KeepsOneOfEachStore):
        def __init__(self, name: str = "") -> None:
            kept = len(self.kept)
            super().__init__(name)
            if len(self.kept) > kept:
                os.close(others.pop())

    report = conform(Target.from_class(WhileOthersClose, "memory://"), only=["LEAK-01"])
    for descriptor in [*others, *KeepsOneOfEachStore.kept.values()]:
        os.close(descriptor)
    KeepsOneOfEachStore.kept.clear()

    assert [violation.clause_id for violation in report.violations] == ["LEAK-01"]


def test_a_few_more_are_no_leak() -> None:
    """Descriptors that grow only up to a limit are not a leak."""
    report = conform(Target.from_class(KeepsAFew, "memory://"), only=["LEAK"])
    while KeepsAFew.kept:
        os.close(KeepsAFew.kept.pop())

    assert report.violations == []


@pytest.mark.parametrize(("backend", "clause"), [(KeepsAThread, "LEAK-01"), (KeepsADescriptor, "LEAK-02")])
def test_what_is_left_is_found(backend: type[Backend], clause: str) -> None:
    """A leaked thread or descriptor per client violates the clause about it."""
    KeepsAThread.over.clear()
    report = conform(Target.from_class(backend, "memory://"), only=[clause])
    KeepsAThread.over.set()
    while KeepsADescriptor.kept:
        os.close(KeepsADescriptor.kept.pop())

    assert [violation.clause_id for violation in report.violations] == [clause]
