from importlib.metadata import version
from pathlib import Path

import pytest
import tallystick
from tallystick.hooks.plugins import Offer, installed

from .conftest import Cli


def test_setup_prints_the_url(cli: Cli) -> None:
    """`setup` prints the URL, also as JSON, and can be repeated."""
    assert cli("setup").out == f"set up: {cli.url}\n"
    assert cli("setup", "--json").json == {"backend": cli.url}


def test_setup_never_shows_a_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`setup` prints the URL without its password."""
    monkeypatch.setattr("tallystick.cli.options.open_backend", lambda url: tallystick.open_backend("memory://"))
    result = cli("setup", "--backend", "postgresql://ann:s3cret@db/app?password=s3cret")
    assert result.out == "set up: postgresql://***@db/app?***\n"


def test_backends_lists_the_installed_ones(cli: Cli) -> None:
    """`backends` lists scheme, distribution, version and contract version, without opening a store."""
    result = cli("backends", TALLYSTICK_BACKEND=None)
    assert result.code == 0
    assert ["memory://", "tallystick-memory", version("tallystick-memory"), "2"] in [
        line.split() for line in result.out.splitlines()
    ]
    memory = next(entry for entry in cli("backends", "--json").json if entry["scheme"] == "memory")
    assert list(memory) == ["scheme", "distribution", "version", "contract_version", "capabilities"]
    assert memory["distribution"] == "tallystick-memory"
    assert memory["contract_version"] == tallystick.CONTRACT_VERSION
    assert memory["capabilities"] is None


def test_backends_with_a_url_shows_capabilities(cli: Cli) -> None:
    """`backends` with a URL shows the store's capabilities by their names in the contract."""
    out = cli("backends", "memory://").out
    assert "durable            no\n" in out
    assert "time_precision     1 µs\n" in out
    (memory,) = cli("backends", "memory://", "--json").json
    assert memory["capabilities"]["notify"] is True
    assert memory["capabilities"]["time_precision"] == 1e-06


def test_a_plugin_that_failed_to_load_is_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that fails to load is a one-line warning on stderr, and the others are listed."""
    monkeypatch.setitem(installed().broken, "tallystick-acme 2.0", ImportError("no\nlibacme"))
    result = cli("backends")
    assert "warning: tallystick-acme 2.0 failed to load: ImportError('no\\nlibacme')\n" in result.err
    assert result.code == 0


def test_a_backend_that_fails_to_load_is_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that fails to load is a one-line warning on stderr, and the others are listed."""
    offers = [*installed().offers, Offer("acme", "no_such_module_anywhere:Backend", "tallystick-acme", "2.0")]
    monkeypatch.setattr(installed(), "offers", offers)
    result = cli("backends")
    assert "warning: tallystick-acme 2.0 failed to load no_such_module_anywhere:Backend" in result.err
    assert "memory://" in result.out
    assert "acme://" not in result.out
    assert result.code == 0


def test_an_unknown_scheme_says_what_to_install(cli: Cli) -> None:
    """For an unknown scheme, the error says what to install, and the exit code is 2."""
    result = cli("backends", "acme://x")
    assert result.code == 2
    assert "usually named tallystick-acme" in result.err


def test_setup_prints_the_statements(cli: Cli, tmp_path: Path) -> None:
    """`setup --sql` prints the statements without executing them; a store without statements reports that."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    result = cli("setup", "--sql", url)
    assert result.code == 0
    assert "CREATE TABLE tallystick_jobs" in result.out
    assert cli("setup", "--sql", "--json", url).json == {"backend": url, "sql": result.out}
    assert list(tmp_path.iterdir()) == []
    result = cli("setup", "--sql")
    assert (result.code, result.out) == (3, "")
    assert "MemoryBackend has no setup script" in result.err
