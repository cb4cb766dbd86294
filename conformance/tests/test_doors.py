"""The pytest entry points: the class with known failures, the fixture, and `--pyargs tallystick_conformance`."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from support import PATIENCE
from tallystick_conformance import pytest_plugin

SUITE = """
from tallystick_conformance import BackendConformance
from tallystick_mutants.memory.payload import StripsNul


class TestBroken(BackendConformance):
    known_failures = {"PAYLOAD-01": "https://example.org/1", "PAYLOAD-02": "https://example.org/2"}

    def make_backend(self, namespace):
        return StripsNul(f"suite.{namespace}")


def test_fixture(tallystick_conform):
    assert tallystick_conform("memory://", only=["CAP-01"]).passed
"""


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-q", "-rA", *_loaded(), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def _loaded() -> list[str]:
    """Return options that load the plugin if the environment lacks its entry point."""
    installed = {entry_point.value for entry_point in entry_points(group="pytest11")}
    return [] if pytest_plugin.__name__ in installed else ["-p", pytest_plugin.__name__]


def test_the_class_and_the_fixture(tmp_path: Path) -> None:
    """A known failure is an expected failure, one that passes fails its test, and the fixture returns the report."""
    (tmp_path / "test_acme.py").write_text(SUITE)
    result = _pytest(tmp_path, "-k", "PAYLOAD-01 or PAYLOAD-02 or BATCH-01 or fixture")

    assert result.returncode == 1
    assert "1 failed, 2 passed, " in result.stdout
    assert "1 xfailed" in result.stdout
    assert "the clause passes, so remove it from the known failures: https://example.org/2" in result.stdout


def test_the_package_is_a_suite(tmp_path: Path) -> None:
    """`pytest --pyargs tallystick_conformance --tallystick-url URL` tests that backend, or skips without a URL."""
    arguments = ("--pyargs", "tallystick_conformance", "-k", "BATCH-01 or CAP-01")
    tested = _pytest(tmp_path, *arguments, "--tallystick-url", "memory://")
    skipped = _pytest(tmp_path, *arguments)

    assert (tested.returncode, "2 passed" in tested.stdout) == (0, True), tested.stdout
    assert (skipped.returncode, "2 skipped" in skipped.stdout) == (0, True), skipped.stdout


def test_the_plugin_loads_nothing(tmp_path: Path) -> None:
    """A pytest run that does not use the kit imports only its plugin module."""
    code = "import sys, tallystick_conformance.pytest_plugin as _; print([m for m in sys.modules if 'tallystick' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)

    assert loaded.stdout.strip() == "['tallystick_conformance', 'tallystick_conformance.pytest_plugin']"
