from collections.abc import Iterator
from typing import Any

import pytest
import typer
from tallystick._version import __version__
from tallystick.cli.app import ORDER, app

from .conftest import Cli


def _commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, *path, name)


COMMANDS = dict(_commands(typer.main.get_command(app)))
LEAVES = {path: command for path, command in COMMANDS.items() if not hasattr(command, "commands")}
RUNNING = {("worker",), ("demo",)}
"""Commands that do work instead of answering."""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_its_effect_in_one_line(path: tuple[str, ...]) -> None:
    """The first paragraph of its help is one sentence that fits a line."""
    first = COMMANDS[path].help.split("\n\n")[0].strip()
    assert first.endswith(".")
    assert "\n" not in first
    assert len(first) <= 78


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_an_example_of_itself(cli: Cli, path: tuple[str, ...]) -> None:
    """Its help ends with how it is called."""
    answer = cli(*path, "--help")
    assert answer.code == 0
    assert f"$ tallystick {' '.join(path)}" in answer.out.split("Examples")[1]


def test_an_example_is_printed_as_it_is_typed(cli: Cli) -> None:
    """Square brackets are not markup."""
    assert "jq -r '.[].last_error.type'" in cli("jobs", "list", "--help").out


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_and_argument_is_explained(path: tuple[str, ...]) -> None:
    """No parameter is without help."""
    assert [param.name for param in LEAVES[path].params if not param.help] == []


@pytest.mark.parametrize("path", [path for path in LEAVES if path not in RUNNING], ids=" ".join)
def test_every_command_that_answers_can_answer_in_json(path: tuple[str, ...]) -> None:
    """And its help says in which keys."""
    assert "--json" in {option for param in LEAVES[path].params for option in param.opts}
    assert "With --json: " in LEAVES[path].help


def test_help_lists_the_commands_in_the_order_of_use(cli: Cli) -> None:
    """In panels; `tallystick` alone shows the same."""
    out = cli("--help").out
    places = [out.index(f"│ {name} ") for name in ORDER]
    assert places == sorted(places)
    assert [out.index(f"─ {panel} ─") for panel in ("Work", "Operate", "Prepare")]
    assert cli("-h").out == out
    assert cli().out.strip() == out.strip()


def test_version(cli: Cli) -> None:
    """One line, for people and scripts."""
    assert cli("--version").out == f"tallystick {__version__}\n"
