"""Undeclared capabilities are tried: harm is a violation, and one that works is reported in a notice."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from support import PATIENCE
from tallystick import Capabilities
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.mutants.mutant import Mutant
from tallystick_mutants.sqlite import cap_undeclared
from tallystick_sqlite import SqliteBackend

PROBES = ["CAP-05", "CAP-06", "CAP-07"]


class Modest(SqliteBackend):
    """Declares less than it supports."""

    @property
    def capabilities(self) -> Capabilities:
        """Return three capabilities as undeclared."""
        return replace(super().capabilities, durable=False, multi_process=False, notify=False)


def test_what_works_undeclared_could_be_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each undeclared capability that works has a notice, even if processes can load the module only by its file."""
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
    """A capability that cannot be tried is not run and violates nothing: the class's module cannot be imported."""
    module = ModuleType("made_by_hand")
    module.Lost = type("Lost", (Modest,), {"__module__": module.__name__})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    report = conform(Target.from_class(module.Lost, f"sqlite:///{tmp_path}/x.db"), only=["CAP-06"])

    assert report.passed
    assert report.results[0].status is Status.NOT_RUN
    assert "another process cannot open it: ModuleNotFoundError" in report.results[0].detail


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{folder}/x.db"])
def test_right_backends_have_nothing_to_notice(url: str, tmp_path: Path) -> None:
    """Correctly declared capabilities pass without a notice."""
    report = conform(url.format(folder=tmp_path), only=PROBES)

    assert {(result.status, result.notice) for result in report.results} == {(Status.PASSED, "")}


@pytest.mark.parametrize("mutant", cap_undeclared.MUTANTS, ids=lambda mutant: mutant.name)
def test_harm_is_found(mutant: Mutant, tmp_path: Path) -> None:
    """A half-stored batch, a store that another process empties, and an endless wait each violate their clause."""
    report = conform(mutant.target(str(tmp_path)), only=[mutant.clause])

    assert [violation.clause_id for violation in report.violations] == [mutant.clause]


def test_a_program_that_is_no_file_starts_no_other() -> None:
    """If the program comes from standard input, clauses that need other processes are not run."""
    program = (
        "from tallystick_conformance import conform; print(conform('memory://', only=['CAP-06']).results[0].status)"
    )
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("not run\n", "")


def test_a_program_without_a_guard_is_rejected(tmp_path: Path) -> None:
    """If a script calls the kit whenever it is imported, the call raises an error that states the remedy."""
    script = tmp_path / "script.py"
    script.write_text("from tallystick_conformance import conform\n\nconform('memory://', only=['CAP-06'])\n")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "tallystick_conformance.harness.children.UnguardedProgram: the kit starts other processes, which cannot import "
        f'{script}; put the code that calls the kit under if __name__ == "__main__":'
    )
