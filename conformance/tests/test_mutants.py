"""Mutants: how a broken backend is judged, apart and in modules of others."""

import json
from pathlib import Path

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import Mutant, matrix
from tallystick_conformance.mutant import judge
from tallystick_memory import MemoryBackend


def test_a_family_and_none_are_clauses_too() -> None:
    """A violation counts for its own family, and for a mutant whose family the kit does not have."""
    assert Mutant("m", "CLAIM", MemoryBackend).counts("CLAIM-05")
    assert Mutant("m", "CLAIM-99", MemoryBackend).counts("CLAIM-05")
    assert Mutant("m", "CLAIM-05", MemoryBackend).counts("RECORD-01")
    assert not Mutant("m", "CLAIM", MemoryBackend).counts("LEASE-05")
    assert Mutant("m", "", MemoryBackend).counts("LEASE-05")
    assert Mutant("m", "theirs-01", MemoryBackend).counts("LEASE-05")


def test_a_function_of_namespaces_is_a_mutant() -> None:
    """A mutant may be made by a function that opens a client of the store of a namespace."""

    class Wakes(MemoryBackend):
        def wait(self, *args: object, **options: object) -> bool:
            return True

    def make_backend(namespace: str) -> MemoryBackend:
        return Wakes.from_url(f"memory://by_hand.{namespace}")

    verdict = judge(Mutant("wakes", "WAIT-01", make_backend))

    assert (verdict.killed, verdict.by) == (True, ("WAIT-01",))


def test_a_module_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--module` finds a module in the current directory; a mutant that hangs or dies is told, and stops nobody."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_mutants.py").write_text(
        """
import os
import threading
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

class Hangs(MemoryBackend):
    def setup(self):
        threading.Event().wait()

class Dies(MemoryBackend):
    def setup(self):
        os._exit(3)

class Late(MemoryBackend):
    def queues(self):
        return list(reversed(super().queues()))

MUTANTS = [Mutant("hangs", "", Hangs), Mutant("dies", "CLAIM", Dies), Mutant("late", "QUEUE", lambda: Late)]
"""
    )
    verdicts = list(matrix.run(matrix.find(["my_mutants"]), "quick", seconds=20))

    assert [verdict.fate for verdict in verdicts] == ["hung", "crashed", "killed"]
    written = json.loads(matrix.to_json(verdicts, "quick"))
    assert (written["profile"], written["rate"]) == ("quick", 0.3333)
    assert written["mutants"][2]["by"] == ["QUEUE-02"]


def test_what_is_not_there_is_reported() -> None:
    """A missing module, one without mutants, and a name that no mutant has are configuration errors."""
    for modules, names in ((["no_such_module"], []), (["json"], []), ([], ["no such mutant"])):
        with pytest.raises(ConfigurationError):
            matrix.find(modules, names)


def test_mutants_are_found_by_their_entry_points() -> None:
    """Without a module the mutants of the installed distributions are run."""
    assert {module for module, _ in matrix.find()} == {"tallystick_mutants"}


def test_without_installed_mutants_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kit comes without mutants, so the error names the distribution that has them."""
    monkeypatch.setattr(matrix, "GROUP", "tallystick.no_mutants")

    with pytest.raises(ConfigurationError, match="pip install tallystick-mutants"):
        matrix.find()
