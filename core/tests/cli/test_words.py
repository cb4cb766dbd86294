"""Words that people bring from other job systems."""

import re
from typing import Any

import pytest
import typer
from tallystick import Backend, NewRecord, State
from tallystick.cli import app as application
from tallystick.cli import words

from .conftest import Cli

ROOT: Any = typer.main.get_command(application.app)
GROUPS: dict[str, Any] = {
    "tallystick": ROOT,
    **{name: ROOT.commands[name].loaded for name in ("jobs", "queues", "schedules")},
}
PLUGINS = {"dashboard", "top", "conform"}


def _command(path: list[str]) -> Any:
    command = ROOT
    for word in path:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
        command = getattr(command, "loaded", command)
    return command


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (("jobs", "retry", "--state", "discarded", "--yes"), "requeue"),
        (("jobs", "ls"), "list"),
        (("queue", "list"), "queues"),
        (("migrate",), "setup"),
    ],
)
def test_a_synonym_runs_with_a_note(cli: Cli, command: tuple[str, ...], ours: str) -> None:
    """A command with a name from elsewhere runs as ours, and a note on stderr names ours."""
    result = cli(*command)
    assert result.code == (1 if "retry" in command else 0)  # there is nothing to requeue
    assert f" is called {ours}\n" in result.err


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (("failed",), "tallystick jobs list --state discarded"),
        (("retry",), "tallystick jobs requeue --state discarded"),
        (("beat",), "tallystick worker MODULE:RUNNER"),
        (("jobs", "purge"), "tallystick jobs delete --state pending --queue QUEUE"),
        (("worker", "-A", "app"), "tallystick worker MODULE:RUNNER"),
        (("-A", "app", "worker"), "tallystick worker MODULE:RUNNER"),
        (("worker", "app:runner", "--loglevel", "info"), "--log-level LEVEL"),
        (("jobs", "list", "--status", "failed"), "--state STATE"),
        (("jobs", "delete", "--task", "mail"), "--kind KIND"),
        (("jobs", "list", "--state", "queued"), "pending, which holds"),
        (("jobs", "list", "--state", "penidng"), "Use: pending"),
    ],
)
def test_another_word_is_an_error_that_names_ours(cli: Cli, command: tuple[str, ...], hint: str) -> None:
    """A word that means something else here changes nothing, and the error suggests our command or option."""
    result = cli(*command)
    assert result.code == 2
    assert hint in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.err).split())


@pytest.mark.parametrize(("word", "state"), [("failed", "discarded"), ("SUCCESS", "completed"), ("dead", "discarded")])
def test_states_from_elsewhere_are_understood(cli: Cli, store: Backend, word: str, state: str) -> None:
    """`--state failed` selects discarded jobs, and a note names the state."""
    store.insert([NewRecord(kind="a")])
    result = cli("jobs", "list", "--state", word, "--json")
    assert (result.code, result.json) == (0, [])
    assert result.err == f"note: here, {word} is called {state}\n"


def test_no_word_is_ours_already() -> None:
    """No word hides a command, an option or a state of ours, and each synonym is a command of its group."""
    for (group, word), ours in words._COMMANDS.items():
        assert word not in GROUPS[group].commands
        assert ours in GROUPS[group].commands
    for group, hints in words._HINTS.items():
        assert (hints.keys() - PLUGINS).isdisjoint(GROUPS[group].commands)
    assert {*words.STATES, *words.STATE_HINTS}.isdisjoint(State)


SUGGESTIONS = {("tallystick", text) for hints in words._HINTS.values() for text in hints.values()} | {
    (name, text) for name, hints in words._OPTIONS.items() for text in hints.values()
}


@pytest.mark.parametrize(("name", "text"), sorted(SUGGESTIONS))
def test_each_suggestion_exists(name: str, text: str) -> None:
    """Each command and each option that a suggestion names exists."""
    command = ROOT if name == "tallystick" else _command([name] if name in ROOT.commands else ["jobs", name])
    for path in re.findall(r"tallystick ((?:[a-z]+ ?)+)", text):
        if path.split()[0] not in PLUGINS:
            command = _command(path.split())
    assert {*re.findall(r"--[a-z-]+", text)} <= {"--help", *(option for each in command.params for option in each.opts)}


def test_a_word_for_no_job_is_not_a_synonym(cli: Cli) -> None:
    """Nothing is guessed for unknown words; near spellings are suggested."""
    assert "Did you mean 'list'?" in cli("jobs", "lst").err
