"""Mutants of the memory backend, and common properties of all mutants. `docs/kill.json` has the whole matrix."""

import pytest
from tallystick_conformance.mutants import matrix
from tallystick_conformance.mutants.discovery import find
from tallystick_mutants import MUTANTS

SAMPLE = ("claims late", "completes twice", "strips NUL", "extends any attempt", "purges at the moment")


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_is_killed_by_its_clause(name: str) -> None:
    """The kit kills the mutant by its clause, in a process of its own. A crash would not count."""
    [verdict] = matrix.run(find(names=[name]), "quick")

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_mutants_have_unique_names() -> None:
    """No two mutants have the same name, because the kill matrix identifies them by name."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
