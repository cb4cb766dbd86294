"""Completion in bash, zsh and fish."""

import os
import shutil
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-c", "from tallystick.cli import main; main()"]
WORDS = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


def _completed(shell: str, line: str) -> str:
    environment = os.environ | WORDS[shell](line) | {"_TALLYSTICK_COMPLETE": f"complete_{shell}"}
    return subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", WORDS)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tallystick wor", ("worker", "workers")),
        ("tallystick jobs req", ("requeue",)),
        ("tallystick jobs list --state dis", ("discarded",)),
        ("tallystick jobs retry --unique", ("--unique-key",)),
        ("tallystick dash", ("dashboard",)),
    ],
)
def test_words_are_completed(shell: str, line: str, expected: tuple[str, ...]) -> None:
    """Commands, options and states are completed, also commands of plugins, and options of a synonym."""
    found = _completed(shell, line)
    assert all(word in found for word in expected)
    assert "note" not in found


@pytest.mark.parametrize("shell", WORDS)
def test_each_shell_has_a_script(shell: str) -> None:
    """The script that the manual installs defines the completion of `tallystick`, and bash accepts its syntax."""
    environment = os.environ | {"_TALLYSTICK_COMPLETE": f"source_{shell}"}
    script = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"complete_{shell}" in script
    if shell == "bash" and (bash := shutil.which("bash")):
        subprocess.run([bash, "-n"], input=script, text=True, check=True)
