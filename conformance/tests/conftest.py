"""Fixtures of the kit's tests."""

import pytest
from tallystick_conformance.harness.profiles import PROFILES


@pytest.fixture
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick run few generated programs and shrink none: enough for a bug that almost every program shows."""
    monkeypatch.setitem(PROFILES, "quick", PROFILES["quick"]._replace(programs=10, steps=20, shrink=False))


@pytest.fixture
def short_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick run short generated programs, which shrink fast, and all of them on a busy machine, too."""
    short = PROFILES["quick"]._replace(programs=60, program_seconds=3_600.0, steps=16, crowds=False)
    monkeypatch.setitem(PROFILES, "quick", short)
