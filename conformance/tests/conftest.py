"""Fixtures of the kit's tests."""

import pytest
from tallystick_conformance.harness.profiles import PROFILES


@pytest.fixture
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick run few generated programs and shrink none: enough for a bug that almost every program shows."""
    monkeypatch.setitem(PROFILES, "quick", PROFILES["quick"]._replace(programs=10, steps=20, shrink=False))


@pytest.fixture
def short_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick run short generated programs, which shrink fast, without a time limit for either."""
    short = PROFILES["quick"]._replace(programs=60, steps=16, crowds=False)
    monkeypatch.setitem(PROFILES, "quick", short._replace(program_seconds=3_600.0, shrink_seconds=3_600.0))
