"""The clauses: each is tested, each of the core has a mutant, and every listed bug is one or cannot be."""

from tallystick_conformance import engine  # noqa: F401 - importing it registers all examples
from tallystick_conformance.case import EXAMPLES
from tallystick_conformance.clauses import CLAUSES, family
from tallystick_conformance.programs.run import MODEL_CLAUSES
from tallystick_mutants import MUTANTS
from tallystick_mutants.bugs import IMPOSSIBLE, LISTED
from tallystick_mutants.reasons import REASONS

BUGS = {f"{letter}{number}" for letter, numbers in LISTED.items() for number in numbers}


def test_each_clause_of_the_core_has_a_mutant() -> None:
    """A clause that no mutant breaks may be a test of nothing, unless a reason is written down."""
    core = {clause.id for clause in CLAUSES.values() if clause.level == "core"}
    named = {mutant.clause for mutant in MUTANTS}

    assert core - named - set(REASONS) == set()
    assert set(REASONS) & named == set()
    assert set(REASONS) <= core


def test_each_mutant_names_a_clause_that_is_tested() -> None:
    """A mutant that we ship names a clause by its id, and that clause has a test."""
    for mutant in MUTANTS:
        assert mutant.clause in {*EXAMPLES, *MODEL_CLAUSES}
        assert family(mutant.clause) != mutant.clause


def test_each_listed_bug_is_a_mutant_or_impossible() -> None:
    """No bug of the list is forgotten, and none is called impossible that is not."""
    seen = {mutant.source for mutant in MUTANTS} - {""}

    assert seen <= BUGS
    assert BUGS - seen == set(IMPOSSIBLE)
