"""Mutants over PostgreSQL, on the run's own server; and what becomes of mutants where there is none."""

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import Mutant, matrix, servers
from tallystick_conformance.mutant import judge
from tallystick_conformance.mutants.postgres import MUTANTS
from tallystick_memory import MemoryBackend

SAMPLE = ("claims in two statements", "forgets deletes", "keeps errors as jsonb", "stands still in a transaction")
POSTGRES = "tallystick_conformance.mutants.postgres"


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_over_postgresql_is_killed_by_its_clause(name: str, postgres_url: str) -> None:
    """The named clause is violated by the mutant, on a server that was given."""
    [verdict] = matrix.run(matrix.find([POSTGRES], [name]), "quick", servers={"postgres": postgres_url})

    assert (verdict.fate, verdict.by) == ("killed", (verdict.mutant.clause,)), verdict.detail


def test_without_a_server_they_are_left_out() -> None:
    """Mutants whose server is not given are not run; a line says how many, and how to give it."""
    present, told = matrix.split(matrix.find([POSTGRES]), {})

    assert present == []
    assert told == [
        f"{len(MUTANTS)} left out: no server is given for postgres (--server postgres=URL or "
        "TALLYSTICK_TEST_POSTGRES_URL)"
    ]
    with pytest.raises(ConfigurationError, match="no server is given for postgres"):
        judge(MUTANTS[0], servers={})


def test_plugins_that_are_not_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutants of a plugin that is not installed are left out, and a line says so."""
    monkeypatch.setattr("tallystick_conformance.mutants.ABSENT", ("tallystick_postgres",))

    _, told = matrix.split(matrix.find([matrix.SHIPPED], ["claims late"]), {})

    assert told == ["those over tallystick_postgres left out: it is not installed"]


def test_servers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is given by an option or by the environment; the option goes first, and needs a URL."""
    monkeypatch.setenv("TALLYSTICK_TEST_ACME_URL", "acme://one")

    assert servers.given()["acme"] == "acme://one"
    assert servers.given(["acme=acme://two?a=b"])["acme"] == "acme://two?a=b"
    with pytest.raises(ConfigurationError):
        servers.given(["acme"])


def test_a_mutants_url_says_what_it_needs() -> None:
    """A folder is always there; any other name in braces is a server's, and what the mutant is over."""
    mutant = Mutant("m", "CLAIM", MemoryBackend, url="{acme}")

    assert (mutant.servers, mutant.backend) == ({"acme"}, "acme")
    assert Mutant("m", "CLAIM", MemoryBackend, url="sqlite:///{folder}/m.db").servers == set()
    assert servers.filled("{acme}&folder={folder}", "f", {"acme": "acme://one?"}) == "acme://one?&folder=f"
