"""Mutants of the MongoDB backend, on the server of the test run."""

import pytest
from tallystick_conformance.mutants import matrix
from tallystick_conformance.mutants.discovery import find, split
from tallystick_mutants.mongo import MUTANTS

SAMPLE = ("evaluates errors", "takes whatever it found", "is sure of what others ended", "writes the version anew")
MONGO = "tallystick_mutants.mongo"


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_over_mongodb_is_killed_by_its_clause(name: str, mongo_url: str) -> None:
    """The kit kills the mutant by its clause, on the given server."""
    [verdict] = matrix.run(find([MONGO], [name]), "quick", servers={"mongo": mongo_url})

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_without_a_server_they_are_skipped() -> None:
    """Each mutant needs the server, and is skipped if none is given."""
    present, _ = split(find([MONGO]), {})

    assert present == []
    assert {mutant.backend for mutant in MUTANTS} == {"mongo"}
