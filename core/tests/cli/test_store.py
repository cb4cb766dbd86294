from importlib.metadata import version
from pathlib import Path

import pytest
import tallystick
from tallystick.plugins import Offer, installed

from .conftest import Cli


def test_setup_says_what_was_set_up(cli: Cli) -> None:
    """The URL, and the same as JSON; a repeat is harmless."""
    assert cli("setup").out == f"set up: {cli.url}\n"
    assert cli("setup", "--json").json == {"backend": cli.url}


def test_setup_never_shows_a_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL is printed without it."""
    monkeypatch.setattr("tallystick.cli.options.open_backend", lambda url: tallystick.open_backend("memory://"))
    answer = cli("setup", "--backend", "postgresql://ann:s3cret@db/app?password=s3cret")
    assert answer.out == "set up: postgresql://***@db/app?***\n"


def test_backends_lists_what_is_installed(cli: Cli) -> None:
    """Scheme, distribution, version and contract version; nothing is opened, so no store has to be chosen."""
    answer = cli("backends", TALLYSTICK_BACKEND=None)
    assert answer.code == 0
    assert ["memory://", "tallystick-memory", version("tallystick-memory"), "1"] in [
        line.split() for line in answer.out.splitlines()
    ]
    memory = next(entry for entry in cli("backends", "--json").json if entry["scheme"] == "memory")
    assert list(memory) == ["scheme", "distribution", "version", "contract_version", "capabilities"]
    assert memory["distribution"] == "tallystick-memory"
    assert memory["contract_version"] == tallystick.CONTRACT_VERSION
    assert memory["capabilities"] is None


def test_backends_with_a_url_tells_what_the_store_can_do(cli: Cli) -> None:
    """Its capabilities, by their names in the contract."""
    out = cli("backends", "memory://").out
    assert "durable            no\n" in out
    assert "time_precision     1 µs\n" in out
    (memory,) = cli("backends", "memory://", "--json").json
    assert memory["capabilities"]["notify"] is True
    assert memory["capabilities"]["time_precision"] == 1e-06


def test_a_plugin_that_failed_to_load_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, in one line; the others are listed."""
    monkeypatch.setitem(installed().broken, "tallystick-acme 2.0", ImportError("no\nlibacme"))
    answer = cli("backends")
    assert "warning: tallystick-acme 2.0 failed to load: ImportError('no\\nlibacme')\n" in answer.err
    assert answer.code == 0


def test_a_backend_that_fails_to_load_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, in one line; the others are listed."""
    offers = [*installed().offers, Offer("acme", "no_such_module_anywhere:Backend", "tallystick-acme", "2.0")]
    monkeypatch.setattr(installed(), "offers", offers)
    answer = cli("backends")
    assert "warning: tallystick-acme 2.0 failed to load no_such_module_anywhere:Backend" in answer.err
    assert "memory://" in answer.out
    assert "acme://" not in answer.out
    assert answer.code == 0


def test_an_unknown_scheme_says_what_to_install(cli: Cli) -> None:
    """Exit code 2."""
    answer = cli("backends", "acme://x")
    assert answer.code == 2
    assert "usually named tallystick-acme" in answer.err


def test_setup_prints_what_it_would_execute(cli: Cli, tmp_path: Path) -> None:
    """With --sql, and does nothing; a store that is not made by statements says so."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    answer = cli("setup", "--sql", url)
    assert answer.code == 0
    assert "CREATE TABLE tallystick_jobs" in answer.out
    assert cli("setup", "--sql", "--json", url).json == {"backend": url, "sql": answer.out}
    assert list(tmp_path.iterdir()) == []
    answer = cli("setup", "--sql")
    assert (answer.code, answer.out) == (3, "")
    assert "MemoryBackend has no setup script" in answer.err
