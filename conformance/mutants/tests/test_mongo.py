"""Mutants over MongoDB, on the run's own server."""

import pytest
from tallystick_conformance import matrix
from tallystick_conformance.discovery import find, split
from tallystick_mutants.mongo import MUTANTS

SAMPLE = ("evaluates errors", "takes whatever it found", "is sure of what others ended", "writes the version anew")
MONGO = "tallystick_mutants.mongo"


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_over_mongodb_is_killed_by_its_clause(name: str, mongo_url: str) -> None:
    """The named clause is violated by the mutant, on a server that was given."""
    [verdict] = matrix.run(find([MONGO], [name]), "quick", servers={"mongo": mongo_url})

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_they_are_over_mongodb() -> None:
    """Each needs the server, and is left out where it is not given."""
    present, _ = split(find([MONGO]), {})

    assert present == []
    assert {mutant.backend for mutant in MUTANTS} == {"mongo"}
