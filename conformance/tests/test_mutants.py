"""Mutants: judging broken backends, in their own processes and from other modules."""

import json
from pathlib import Path

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import Mutant
from tallystick_conformance.mutants import discovery, matrix
from tallystick_conformance.mutants.discovery import find
from tallystick_conformance.mutants.mutant import Fate, Verdict
from tallystick_conformance.mutants.trial import try_mutant
from tallystick_memory import MemoryBackend


def test_a_family_and_none_are_clauses_too() -> None:
    """A violation counts for a mutant of the same family, and for a mutant of a family that the kit does not have."""
    assert Mutant("m", "CLAIM", MemoryBackend).counts("CLAIM-05")
    assert Mutant("m", "CLAIM-99", MemoryBackend).counts("CLAIM-05")
    assert Mutant("m", "CLAIM-05", MemoryBackend).counts("RECORD-01")
    assert not Mutant("m", "CLAIM", MemoryBackend).counts("LEASE-05")
    assert Mutant("m", "", MemoryBackend).counts("LEASE-05")
    assert Mutant("m", "theirs-01", MemoryBackend).counts("LEASE-05")


def test_a_function_of_namespaces_is_a_mutant() -> None:
    """A function that opens a client of the store with a namespace can be a mutant."""

    class Wakes(MemoryBackend):
        def wait(self, *args: object, **options: object) -> bool:
            return True

    def make_backend(namespace: str) -> MemoryBackend:
        return Wakes.from_url(f"memory://by_hand.{namespace}")

    verdict = try_mutant(Mutant("wakes", "WAIT-01", make_backend))

    assert (verdict.killed, verdict.by) == (True, ("WAIT-01",))


@pytest.mark.kit
def test_a_module_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--module` finds a module in the current directory; a mutant that hangs or dies does not stop the others."""
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
    found = find(["my_mutants"])
    verdicts = list(matrix.run(found, "quick", seconds=20))

    assert [verdict.fate for verdict in verdicts] == ["hung", "crashed", "killed"]
    text = matrix.to_json(verdicts, found, "quick")
    written = json.loads(text)
    assert (written["profile"], written["rate"]) == ("quick", 0.3333)
    assert [written[fate] for fate in ("killed", "survived", "hung", "crashed")] == [1, 0, 1, 1]
    assert (written["mutants"][2]["module"], written["mutants"][2]["by"]) == ("my_mutants", ["QUEUE-02"])
    assert len(text.splitlines()) == len(verdicts) + 2


@pytest.mark.parametrize(
    ("fates", "reaches"),
    [
        (["killed"] * 9 + ["survived"], True),
        (["killed"] * 8 + ["survived"] * 2, False),
        (["killed"] * 8 + ["hung", "survived"], None),
        (["killed"] * 8 + ["crashed", "survived"], None),
        (["killed"] * 7 + ["hung", "survived", "survived"], False),
        (["hung"], None),
        ([], False),
    ],
)
def test_a_mutant_that_hung_has_not_survived(fates: list[Fate], reaches: bool | None) -> None:
    """If the result depends on mutants that hung or crashed, the matrix is undecided."""
    verdicts = [Verdict(Mutant("m", "CLAIM", MemoryBackend), fate) for fate in fates]

    assert matrix.reaches(verdicts, "quick") is reaches


def test_two_mutants_of_one_name_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module must not have two mutants of the same name, because processes find mutants by name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twins.py").write_text(
        "from tallystick_conformance import Mutant\n"
        "from tallystick_memory import MemoryBackend\n"
        "MUTANTS = [Mutant('twin', 'CLAIM', MemoryBackend)] * 2\n"
    )
    with pytest.raises(ConfigurationError, match="'twins' has several mutants called 'twin'"):
        find(["twins"])


def test_what_is_not_there_is_reported() -> None:
    """A missing module, a module without mutants and an unknown mutant name are configuration errors."""
    for modules, names in ((["no_such_module"], []), (["json"], []), ([], ["no such mutant"])):
        with pytest.raises(ConfigurationError):
            find(modules, names)


def test_mutants_are_found_by_their_entry_points() -> None:
    """Without a module, the mutants of the installed distributions run."""
    assert {module for module, _ in find()} == {"tallystick_mutants"}


def test_without_installed_mutants_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no mutants are installed, the error names the distribution that has them."""
    monkeypatch.setattr(discovery, "GROUP", "tallystick.no_mutants")

    with pytest.raises(ConfigurationError, match="pip install tallystick-mutants"):
        find()
