"""Judging a mutant: its programs run once, and other processes find it even if they cannot import its class."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tallystick import Queue
from tallystick_conformance import Mutant, Result, Status
from tallystick_conformance.mutants import matrix, trial
from tallystick_conformance.mutants.discovery import find
from tallystick_conformance.mutants.trial import try_mutant
from tallystick_conformance.running.run_clauses import run_programs
from tallystick_memory import MemoryBackend

LOCAL = """
from tallystick_conformance import Mutant
from tallystick_sqlite import SqliteBackend

def made():
    class Unpausable(SqliteBackend):
        def pause(self, queue):
            pass

    return Unpausable

def opened(namespace):
    return made().from_url(f"sqlite:///{__file__}.{namespace}.db")

CLAUSE, URL = "SETUP-11", "sqlite:///{folder}/x.db"
MUTANTS = [
    Mutant("a class in a function", CLAUSE, made(), url=URL),
    Mutant("a lambda", CLAUSE, lambda: made(), url=URL),
    Mutant("a lambda of namespaces", CLAUSE, lambda namespace: opened(namespace)),
]
"""


class Right(MemoryBackend):
    """Breaks nothing."""


class Unordered(MemoryBackend):
    """Lists queues in the wrong order."""

    def queues(self) -> list[Queue]:
        """Return them in reverse order."""
        return list(reversed(super().queues()))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the clauses that each run of programs tests, and skip the examples."""
    seen: list[list[str]] = []

    def noted(target: Any, profile: Any, armed: list[str], programs: Any) -> Iterator[Result]:
        seen.append(list(armed))
        return run_programs(target, profile._replace(programs=10, steps=10, shrink=False), armed, programs)

    monkeypatch.setattr(trial, "run_programs", noted)
    monkeypatch.setattr(trial, "run_examples", lambda clause, *_: Result(clause, Status.PASSED))
    return seen


@pytest.mark.parametrize("clause", ["QUEUE-01", "RACE-01", "QUEUE", ""])
def test_programs_run_once(clause: str, runs: list[list[str]]) -> None:
    """For a mutant that survives, programs run only once, not again for its family and the other clauses."""
    assert try_mutant(Mutant("right", clause, Right)).fate == "survived"
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("clause", "fate"),
    [("QUEUE-02", "killed"), ("QUEUE-01", "killed"), ("QUEUE", "killed"), ("CLAIM-05", "survived")],
)
def test_one_run_of_programs_judges_every_clause(clause: str, fate: str, runs: list[list[str]]) -> None:
    """A violated clause of the family kills the mutant, and one of another family is reported."""
    verdict = try_mutant(Mutant("unordered", clause, Unordered))

    assert (verdict.fate, verdict.by) == (fate, ("QUEUE-02",))
    assert len(runs) == 1


def test_a_mutant_inside_a_function_runs_in_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes find a class or lambda that they cannot import, by the mutant's name in its module."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local_mutants.py").write_text(LOCAL)
    verdicts = list(matrix.run(find(["local_mutants"]), "quick"))

    assert [(verdict.fate, verdict.by) for verdict in verdicts] == [("killed", ("SETUP-11",))] * 3, verdicts


@pytest.mark.kit
def test_a_survivor_says_why_its_clause_was_not_tested() -> None:
    """The verdict reports a clause that could not be tested on the mutant."""
    verdict = try_mutant(Mutant("right", "CAP-02", Right))

    assert verdict.fate == "survived"
    assert verdict.detail == "CAP-02 was not declared: the backend does not declare transactions"
