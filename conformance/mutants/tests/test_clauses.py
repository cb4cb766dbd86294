"""Each clause is tested, each core clause has a mutant, and each listed bug has a mutant or is impossible."""

from tallystick_conformance.contract.clauses import CLAUSES, family
from tallystick_conformance.tiers.programs.run import MODEL_CLAUSES
from tallystick_conformance.tiers.registered import EXAMPLES
from tallystick_mutants import MUTANTS
from tallystick_mutants.bugs import IMPOSSIBLE, LISTED
from tallystick_mutants.reasons import REASONS

BUGS = {f"{letter}{number}" for letter, numbers in LISTED.items() for number in numbers}


def test_each_clause_of_the_core_has_a_mutant() -> None:
    """Each core clause has a mutant that breaks it, or a written reason why it has none."""
    core = {clause.id for clause in CLAUSES.values() if clause.level == "core"}
    named = {mutant.clause for mutant in MUTANTS}

    assert core - named - set(REASONS) == set()
    assert set(REASONS) & named == set()
    assert set(REASONS) <= core


def test_each_mutant_names_a_clause_that_is_tested() -> None:
    """Each mutant names a clause by its full id, and that clause has a test."""
    for mutant in MUTANTS:
        assert mutant.clause in {*EXAMPLES, *MODEL_CLAUSES}
        assert family(mutant.clause) != mutant.clause


def test_each_listed_bug_is_a_mutant_or_impossible() -> None:
    """Each listed bug either has a mutant or is listed as impossible, but not both."""
    seen = {mutant.source for mutant in MUTANTS} - {""}

    assert seen <= BUGS
    assert BUGS - seen == set(IMPOSSIBLE)
