"""Mutants of the PostgreSQL backend, on the server of the test run, and mutants without a server."""

import pytest
from tallystick import ConfigurationError
from tallystick_conformance.mutants import matrix
from tallystick_conformance.mutants.discovery import find, split
from tallystick_conformance.mutants.trial import try_mutant
from tallystick_mutants.postgres import MUTANTS

SAMPLE = ("claims in two statements", "forgets deletes", "keeps errors as jsonb", "stands still in a transaction")
POSTGRES = "tallystick_mutants.postgres"


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_over_postgresql_is_killed_by_its_clause(name: str, postgres_url: str) -> None:
    """The kit kills the mutant by its clause, on the given server."""
    [verdict] = matrix.run(find([POSTGRES], [name]), "quick", servers={"postgres": postgres_url})

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_without_a_server_they_are_skipped() -> None:
    """Mutants without a server are skipped, and a line reports how many, and how to give a server."""
    present, notes = split(find([POSTGRES]), {})

    assert present == []
    assert notes == [
        f"{len(MUTANTS)} left out: no URL for the server postgres; pass --server postgres=URL or "
        "TALLYSTICK_TEST_POSTGRES_URL"
    ]
    with pytest.raises(ConfigurationError, match="no URL for the server postgres"):
        try_mutant(MUTANTS[0], servers={})


def test_plugins_that_are_not_installed_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants of a plugin that is not installed are skipped, and a line reports it."""
    monkeypatch.setattr("tallystick_mutants.ABSENT", ("tallystick_postgres",))

    _, notes = split(find(names=["claims late"]), {})

    assert notes == ["mutants on tallystick_postgres left out: it is not installed"]
