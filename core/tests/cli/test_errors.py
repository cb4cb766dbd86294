import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import typer
from tallystick import (
    Closed,
    ConfigurationError,
    DuplicateKind,
    ForeignStore,
    InvalidArgument,
    JobNotFound,
    NotSetUp,
    OutcomeUnknown,
    TallystickError,
    Unavailable,
    Unsupported,
    hookimpl,
)
from tallystick.cli import app as application
from tallystick.hooks.plugins import load

from .conftest import Cli


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobNotFound, 1),
        (ConfigurationError, 2),
        (InvalidArgument, 2),
        (DuplicateKind, 2),
        (Unavailable, 3),
        (NotSetUp, 3),
        (ForeignStore, 3),
        (OutcomeUnknown, 3),
        (Unsupported, 3),
        (Closed, 3),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: type[TallystickError], code: int
) -> None:
    """A Tallystick error is one line on stderr and an exit code; stdout stays empty."""
    _fail(monkeypatch, error("the store\n  has \x1b[31mgone"))
    result = cli("stats", "--json")
    assert (result.code, result.out, result.err) == (code, "", "error: the store has \\x1b[31mgone\n")


@pytest.mark.parametrize(("options", "debug"), [(("--debug",), None), ((), "1")])
def test_debug_shows_the_traceback_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], debug: str | None
) -> None:
    """--debug or TALLYSTICK_DEBUG shows the traceback before the error line, with the same exit code."""
    _fail(monkeypatch, Unavailable("gone"))
    result = cli(*options, "stats", TALLYSTICK_DEBUG=debug)
    assert result.err.startswith("Traceback (most recent call last):\n")
    assert result.err.endswith("\nerror: gone\n")
    assert result.code == 3


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def open_backend(url: str) -> None:
        raise error

    monkeypatch.setattr("tallystick.cli.options.open_backend", open_backend)


@pytest.mark.parametrize("unset", [None, ""])
def test_a_store_must_be_chosen(cli: Cli, unset: str | None) -> None:
    """Without a store, the error names the option and the variable."""
    result = cli("stats", TALLYSTICK_BACKEND=unset)
    assert result.code == 2
    assert result.err.startswith("error: no store was selected; pass --backend URL or set TALLYSTICK_BACKEND")


def test_the_option_wins_over_the_environment(cli: Cli) -> None:
    """--backend overrides TALLYSTICK_BACKEND."""
    assert cli("setup", "--backend", "memory://other").out == "set up: memory://other\n"


@pytest.mark.parametrize("bad", ["nonsense", "acme://ann:s3cret@db/jobs", "memory://x?password=s3cret&password=b"])
def test_a_bad_url_is_rejected_without_its_password(cli: Cli, bad: str) -> None:
    """The error for a malformed URL does not show its password, and the exit code is 2."""
    result = cli("stats", "--backend", bad)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert "s3cret" not in result.err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the command line with one plugin and returns the exit code."""

    def run(plugin: Callable[[typer.Typer], None], *arguments: str) -> int:
        plugins = load([])
        plugins.hooks.register(SimpleNamespace(tallystick_cli=hookimpl(plugin)))
        monkeypatch.setattr("tallystick.hooks.plugins.installed", lambda: plugins)
        monkeypatch.setattr(application.app, "registered_commands", application.app.registered_commands[:])
        monkeypatch.setattr(sys, "argv", ["tallystick", *arguments])
        with pytest.raises(SystemExit) as caught:
            application.run()
        assert isinstance(caught.value.code, int)
        return caught.value.code

    return run


def _adds_acme(app: typer.Typer) -> None:
    @app.command("acme")
    def acme() -> None:
        raise Unavailable("acme is gone")


def _fails(app: typer.Typer) -> None:
    raise RuntimeError("acme")


def test_a_plugin_adds_commands(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """Commands of a plugin are in the help, and their errors have the usual form and exit code."""
    assert run(_adds_acme, "acme") == 3
    assert capsys.readouterr().err == "error: acme is gone\n"
    assert run(_adds_acme, "--help") == 0
    assert "acme" in capsys.readouterr().out


def test_a_plugin_that_fails_leaves_our_commands_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A plugin that fails to add its commands causes a one-line warning, only where commands are listed."""
    warning = "warning: a plugin could not add its commands: RuntimeError('acme')\n"
    assert run(_fails, "--help") == 0
    assert capsys.readouterr().err == warning
    assert run(_fails, "--version") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["stats"], ["jobs"], []])
def test_bad_usage_shows_no_password(cli: Cli, arguments: list[str]) -> None:
    """Usage errors show a wrong argument without its password."""
    result = cli(*arguments, "postgresql://u:S3CRET@h/db")
    assert result.code == 2
    assert "S3CRET" not in result.out + result.err


def _exits(app: typer.Typer) -> None:
    raise SystemExit(7)


def test_a_plugin_that_exits_leaves_our_commands_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """SystemExit of a plugin is a warning too."""
    assert run(_exits, "--help") == 0
    assert capsys.readouterr().err == "warning: a plugin could not add its commands: SystemExit(7)\n"
