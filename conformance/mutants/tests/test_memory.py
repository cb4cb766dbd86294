"""Mutants over memory, and what all mutants have in common. The matrix itself is `docs/kill.json`."""

import pytest
from tallystick_conformance import matrix
from tallystick_conformance.discovery import find
from tallystick_mutants import MUTANTS

SAMPLE = ("claims late", "completes twice", "strips NUL", "extends any attempt", "purges at the moment")


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_is_killed_by_its_clause(name: str) -> None:
    """The named clause is violated by the mutant, in a process of its own; a crash would not count."""
    [verdict] = matrix.run(find(names=[name]), "quick")

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_mutants_have_names_of_their_own() -> None:
    """No two mutants share a name, which is how a kill matrix tells them apart."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
