"""Mutants over PostgreSQL, on the run's own server; and what becomes of mutants where there is none."""

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import matrix
from tallystick_conformance.discovery import find, split
from tallystick_conformance.judging import judge
from tallystick_mutants.postgres import MUTANTS

SAMPLE = ("claims in two statements", "forgets deletes", "keeps errors as jsonb", "stands still in a transaction")
POSTGRES = "tallystick_mutants.postgres"


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_over_postgresql_is_killed_by_its_clause(name: str, postgres_url: str) -> None:
    """The named clause is violated by the mutant, on a server that was given."""
    [verdict] = matrix.run(find([POSTGRES], [name]), "quick", servers={"postgres": postgres_url})

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_without_a_server_they_are_left_out() -> None:
    """Mutants whose server is not given are not run; a line says how many, and how to give it."""
    present, told = split(find([POSTGRES]), {})

    assert present == []
    assert told == [
        f"{len(MUTANTS)} left out: no server is given for postgres (--server postgres=URL or "
        "TALLYSTICK_TEST_POSTGRES_URL)"
    ]
    with pytest.raises(ConfigurationError, match="no server is given for postgres"):
        judge(MUTANTS[0], servers={})


def test_plugins_that_are_not_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants of a plugin that is not installed are left out, and a line says so."""
    monkeypatch.setattr("tallystick_mutants.ABSENT", ("tallystick_postgres",))

    _, told = split(find(names=["claims late"]), {})

    assert told == ["those over tallystick_postgres left out: it is not installed"]
