from collections.abc import Iterator
from typing import Any

import pytest
import typer
from tallystick._version import __version__
from tallystick.cli.app import ORDER, app
from tallystick.cli.commands import BUILT_IN

from .conftest import Cli


def _commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, found in group.commands.items():
        command = getattr(found, "loaded", found)
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, *path, name)


SUMMARIES = {command.name: command.help for command in BUILT_IN}
COMMANDS = dict(_commands(typer.main.get_command(app)))
LEAVES = {path: command for path, command in COMMANDS.items() if not hasattr(command, "commands")}
WITHOUT_JSON = {("worker",), ("demo",), ("jobs", "export")}
"""Commands that do work and print no result, and one whose only form is JSON."""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_a_one_line_summary(path: tuple[str, ...]) -> None:
    """The first paragraph of a command's help is one sentence on one line."""
    first = COMMANDS[path].help.split("\n\n")[0].strip()
    assert first.endswith(".")
    assert "\n" not in first
    assert len(first) <= 78


@pytest.mark.parametrize("name", ORDER)
def test_the_help_has_the_summary_of_each_command(name: str) -> None:
    """The root's help shows the first line of each command's own help, without importing the command."""
    assert SUMMARIES[name] == COMMANDS[(name,)].help.split("\n\n")[0]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_an_example_of_itself(cli: Cli, path: tuple[str, ...]) -> None:
    """The help of each command ends with an example."""
    result = cli(*path, "--help")
    assert result.code == 0
    assert f"$ tallystick {' '.join(path)}" in result.out.split("Examples")[1]


def test_an_example_is_printed_as_it_is_typed(cli: Cli) -> None:
    """Rich does not take the square brackets of an example for markup."""
    assert "jq -r '.[].last_error.type'" in cli("jobs", "list", "--help").out


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_and_argument_is_explained(path: tuple[str, ...]) -> None:
    """Every option and argument has a help text."""
    assert [param.name for param in LEAVES[path].params if not param.help] == []


@pytest.mark.parametrize("path", [path for path in LEAVES if path not in WITHOUT_JSON], ids=" ".join)
def test_every_command_with_a_result_has_json(path: tuple[str, ...]) -> None:
    """Every command that prints a result has --json, and its help lists the keys."""
    assert "--json" in {option for param in LEAVES[path].params for option in param.opts}
    assert "With --json: " in LEAVES[path].help


def test_help_lists_the_commands_in_the_order_of_use(cli: Cli) -> None:
    """The help lists the commands by panel, and `tallystick` without arguments prints the same."""
    out = cli("--help").out
    positions = [out.index(f"│ {name} ") for name in ORDER]
    assert positions == sorted(positions)
    assert [out.index(f"─ {panel} ─") for panel in ("Work", "Operate", "Prepare")]
    assert cli("-h").out == out
    assert cli().out.strip() == out.strip()


def test_version(cli: Cli) -> None:
    """--version prints one line."""
    assert cli("--version").out == f"tallystick {__version__}\n"
