"""Servers that mutants need: how they are given, and how a mutant's URL names them."""

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import Mutant, servers
from tallystick_memory import MemoryBackend


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
