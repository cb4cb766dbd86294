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
from tallystick.plugins import load

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
    """Scripts read the code, people the line; stdout stays empty."""
    _fail(monkeypatch, error("the store\n  has \x1b[31mgone"))
    answer = cli("stats", "--json")
    assert (answer.code, answer.out, answer.err) == (code, "", "error: the store has \\x1b[31mgone\n")


@pytest.mark.parametrize(("options", "debug"), [(("--debug",), None), ((), "1")])
def test_debug_shows_the_traceback_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], debug: str | None
) -> None:
    """By option or by TALLYSTICK_DEBUG; the last line and the exit code stay the same."""
    _fail(monkeypatch, Unavailable("gone"))
    answer = cli(*options, "stats", TALLYSTICK_DEBUG=debug)
    assert answer.err.startswith("Traceback (most recent call last):\n")
    assert answer.err.endswith("\nerror: gone\n")
    assert answer.code == 3


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def open_backend(url: str) -> None:
        raise error

    monkeypatch.setattr("tallystick.cli.options.open_backend", open_backend)


@pytest.mark.parametrize("unset", [None, ""])
def test_a_store_must_be_chosen(cli: Cli, unset: str | None) -> None:
    """The message names both ways."""
    answer = cli("stats", TALLYSTICK_BACKEND=unset)
    assert answer.code == 2
    assert answer.err.startswith("error: no store was selected; pass --backend URL or set TALLYSTICK_BACKEND")


def test_the_option_wins_over_the_environment(cli: Cli) -> None:
    """What is typed is what is meant."""
    assert cli("setup", "--backend", "memory://other").out == "set up: memory://other\n"


@pytest.mark.parametrize("bad", ["nonsense", "acme://ann:s3cret@db/jobs", "memory://x?password=s3cret&password=b"])
def test_a_bad_url_is_refused_without_its_password(cli: Cli, bad: str) -> None:
    """Exit code 2."""
    answer = cli("stats", "--backend", bad)
    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert "s3cret" not in answer.err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command line with one plugin, and return the exit code."""

    def run(plugin: Callable[[typer.Typer], None], *arguments: str) -> int:
        plugins = load([])
        plugins.hooks.register(SimpleNamespace(tallystick_cli=hookimpl(plugin)))
        monkeypatch.setattr("tallystick.plugins.installed", lambda: plugins)
        monkeypatch.setattr(application.app, "registered_commands", application.app.registered_commands[:])
        monkeypatch.setattr(sys, "argv", ["tallystick", *arguments])
        with pytest.raises(SystemExit) as end:
            application.run()
        assert isinstance(end.value.code, int)
        return end.value.code

    return run


def _adds_acme(app: typer.Typer) -> None:
    @app.command("acme")
    def acme() -> None:
        raise Unavailable("acme is gone")


def _fails(app: typer.Typer) -> None:
    raise RuntimeError("acme")


def test_a_plugin_adds_commands(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """Their errors end as ours do, and the help has them."""
    assert run(_adds_acme, "acme") == 3
    assert capsys.readouterr().err == "error: acme is gone\n"
    assert run(_adds_acme, "--help") == 0
    assert "acme" in capsys.readouterr().out


def test_a_plugin_that_fails_leaves_our_commands_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a warning in one line, where the plugins' commands are asked for."""
    warning = "warning: a plugin could not add its commands: RuntimeError('acme')\n"
    assert run(_fails, "--help") == 0
    assert capsys.readouterr().err == warning
    assert run(_fails, "--version") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["stats"], ["jobs"], []])
def test_bad_usage_shows_no_password(cli: Cli, arguments: list[str]) -> None:
    """Bad usage of the command line repeats an argument without its password."""
    answer = cli(*arguments, "postgresql://u:S3CRET@h/db")
    assert answer.code == 2
    assert "S3CRET" not in answer.out + answer.err


def _exits(app: typer.Typer) -> None:
    raise SystemExit(7)


def test_a_plugin_that_exits_leaves_our_commands_alone(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """SystemExit of a plugin is a warning as well."""
    assert run(_exits, "--help") == 0
    assert capsys.readouterr().err == "warning: a plugin could not add its commands: SystemExit(7)\n"
