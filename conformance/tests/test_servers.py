"""Servers for mutants: their URLs, and their placeholders in a mutant's URL."""

import pytest
from tallystick import ConfigurationError
from tallystick_conformance import Mutant
from tallystick_conformance.mutants import servers
from tallystick_memory import MemoryBackend


def test_servers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's URL comes from an option or from the environment; the option takes precedence and needs a URL."""
    monkeypatch.setenv("TALLYSTICK_TEST_ACME_URL", "acme://one")

    assert servers.given()["acme"] == "acme://one"
    assert servers.given(["acme=acme://two?a=b"])["acme"] == "acme://two?a=b"
    with pytest.raises(ConfigurationError):
        servers.given(["acme"])


def test_a_mutants_url_says_what_it_needs() -> None:
    """A folder is always available; any other name in braces is the name of a server."""
    mutant = Mutant("m", "CLAIM", MemoryBackend, url="{acme}")

    assert (mutant.servers, mutant.backend) == ({"acme"}, "acme")
    assert Mutant("m", "CLAIM", MemoryBackend, url="sqlite:///{folder}/m.db").servers == set()
    assert servers.filled("{acme}&folder={folder}", "f", {"acme": "acme://one?"}) == "acme://one?&folder=f"


@pytest.mark.parametrize(
    ("url", "server", "filled"),
    [
        ("{acme}", "acme://h/db?schema=x", "acme://h/db?schema=x"),
        ("{acme}?pool=2", "acme://h/db", "acme://h/db?pool=2"),
        ("{acme}?pool=2", "acme://h/db?schema=x", "acme://h/db?schema=x&pool=2"),
        ("{acme}&pool=2", "acme://h/db", "acme://h/db?pool=2"),
        ("{acme}?pool=2&at={folder}", "acme://h/db?schema=x", "acme://h/db?schema=x&pool=2&at=f"),
        ("sqlite:///{folder}/m.db?a={", "", "sqlite:///f/m.db?a={"),
        ("{acme}", "acme://u:{folder}@h/", "acme://u:{folder}@h/"),
    ],
)
def test_options_of_a_mutants_url_join_those_of_its_server(url: str, server: str, filled: str) -> None:
    """A mutant's URL may add options, whether or not the server's URL has some; other braces stay."""
    assert servers.filled(url, "f", {"acme": server}) == filled


@pytest.mark.parametrize("url", ["{acme}", "{acme}?schema=x", "acme://h:1/db?schema=x"])
def test_a_mutant_is_over_a_store(url: str) -> None:
    """The store's name is the server's name or the scheme, with any options."""
    assert Mutant("m", "CLAIM", MemoryBackend, url=url).backend == "acme"
