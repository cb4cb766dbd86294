"""What is not declared is probed: harm is a violation, and what works all the same is told."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from tallystick import Capabilities
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.mutant import Mutant
from tallystick_mutants import sqlite_undeclared
from tallystick_sqlite import SqliteBackend

PROBES = ["CAP-05", "CAP-06", "CAP-07"]


class Modest(SqliteBackend):
    """Declares less than it can do."""

    @property
    def capabilities(self) -> Capabilities:
        """Three noes."""
        return replace(super().capabilities, durable=False, multi_process=False, notify=False)


def test_what_works_undeclared_could_be_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each no that works has a notice, though other processes can load this module by its file only."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry).resolve() != Path.cwd()])
    report = conform(Target.from_class(Modest, f"sqlite:///{tmp_path}/x.db"), only=PROBES)

    assert report.passed
    assert [result.notice.partition(" could be")[0] for result in report.results] == [
        "durable",
        "multi_process",
        "notify",
    ]


def test_a_class_that_no_other_process_can_import_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be probed is not run, and breaks nothing: the class's module has neither a place nor a file."""
    module = ModuleType("made_by_hand")
    module.Lost = type("Lost", (Modest,), {"__module__": module.__name__})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    report = conform(Target.from_class(module.Lost, f"sqlite:///{tmp_path}/x.db"), only=["CAP-06"])

    assert report.passed
    assert report.results[0].status is Status.NOT_RUN
    assert "another process cannot open it: ModuleNotFoundError" in report.results[0].detail


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{folder}/x.db"])
def test_right_backends_have_nothing_to_notice(url: str, tmp_path: Path) -> None:
    """What is declared as it is passes, without a notice."""
    report = conform(url.format(folder=tmp_path), only=PROBES)

    assert {(result.status, result.notice) for result in report.results} == {(Status.PASSED, "")}


@pytest.mark.parametrize("mutant", sqlite_undeclared.MUTANTS, ids=lambda mutant: mutant.name)
def test_harm_is_found(mutant: Mutant, tmp_path: Path) -> None:
    """A half-kept batch, a store that another process emptied, and a wait that goes on each break their clause."""
    report = conform(mutant.target(str(tmp_path)), only=[mutant.clause])

    assert [violation.clause_id for violation in report.violations] == [mutant.clause]


def test_a_program_that_is_no_file_starts_no_other() -> None:
    """Where the program comes by standard input, what takes other processes is not run."""
    program = (
        "from tallystick_conformance import conform; print(conform('memory://', only=['CAP-06']).results[0].status)"
    )
    told = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=True)

    assert (told.stdout, told.stderr) == ("not run\n", "")
