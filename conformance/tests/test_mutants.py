"""Mutants: each is caught, and by the clause that it breaks."""

import pytest
from windlass_conformance.clauses import CLAUSES
from windlass_conformance.mutant import Mutant, judge_one
from windlass_conformance.mutants import SHIPPED
from windlass_memory import MemoryBackend


@pytest.mark.parametrize("mutant", SHIPPED, ids=lambda mutant: mutant.name)
def test_each_mutant_is_killed_by_its_clause(mutant: Mutant) -> None:
    """The named clause, with no other armed, is violated by the mutant; a crash would not count."""
    verdict = judge_one(mutant)

    assert verdict.killed, verdict.detail
    assert verdict.detail.startswith(f"{mutant.clause} is broken: {CLAUSES[mutant.clause].text}")


def test_a_right_backend_is_not_killed() -> None:
    """A mutant without a bug survives, so a kill is the bug's doing."""
    for clause in ("CLAIM-05", "RACE-01", "PAYLOAD-01"):
        right = Mutant("right", clause, "None.", "-", lambda: MemoryBackend)

        assert judge_one(right).detail == "survived"


def test_mutants_have_names_of_their_own() -> None:
    """No two mutants share a name, which is how a kill matrix tells them apart."""
    assert len({mutant.name for mutant in SHIPPED}) == len(SHIPPED)
