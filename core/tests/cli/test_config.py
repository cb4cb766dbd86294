import logging
from pathlib import Path
from typing import Any

import pytest
import typer
from tallystick import Settings
from tallystick.cli.app import app
from tallystick.config.settings import COMMAND_VARIABLES

from .conftest import Cli

CODE = ("retry", "codec")

MODULE = """
from datetime import timedelta
import tallystick
from tallystick_memory import MemoryBackend
class Secret(str):
    def encode(self, data, kind): return data
    def decode(self, data, kind): return data
runner = tallystick.Runner("postgresql://me:secret@db/app", lease=timedelta(seconds=5), queues=["a", "b"],
    retry=tallystick.Never(), queue_weights={"a": 5}, keep_completed=None, codec=Secret("secret"))
other = tallystick.Runner(MemoryBackend())
"""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module with runners."""
    name = f"config_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return name


def shown(cli: Cli, *arguments: str, **environment: str) -> dict[str, Any]:
    """Return the settings of `config show --json` by name."""
    result = cli("config", "show", *arguments, "--json", **environment)
    assert result.code == 0, result.err
    return {setting["name"]: setting for setting in result.json}


def test_every_setting_is_shown(cli: Cli) -> None:
    """`config show` lists the settings of a runner in their order, then those of the command `worker`."""
    names = [*shown(cli)]
    assert names[: len(Settings.model_fields)] == [*Settings.model_fields]
    assert {*names[len(Settings.model_fields) :]} == {
        "processes",
        "max_age",
        "max_jobs",
        "max_memory",
        "health",
        "log_level",
        "log_format",
    }


def test_each_source_is_named(cli: Cli, target: str) -> None:
    """A value comes from an argument, else from the environment, else it is the default."""
    settings = shown(cli, f"{target}:runner", TALLYSTICK_LEASE="9", TALLYSTICK_POLL="0.5", TALLYSTICK_PROCESSES="3")
    assert settings["lease"] == {
        "name": "lease",
        "value": 5.0,
        "source": "argument",
        "variable": "TALLYSTICK_LEASE",
    }
    assert (settings["poll"]["value"], settings["poll"]["source"]) == (0.5, "environment")
    assert (settings["batch"]["value"], settings["batch"]["source"]) == (1_000, "default")
    assert (settings["processes"]["value"], settings["processes"]["source"]) == ("3", "environment")
    assert settings["retry"]["variable"] is None


def test_text_for_people(cli: Cli, target: str) -> None:
    """The table shows lengths of time in seconds, None as words, and never a password."""
    out = cli("config", "show", f"{target}:runner").out
    rows = {line.split()[0]: line.split() for line in out.splitlines()}
    assert rows["backend"][1:3] == ["postgresql://***@db/app", "argument"]
    assert rows["lease"][1:4] == ["5", "s", "argument"]
    assert rows["keep_completed"][1:3] == ["forever", "argument"]
    assert rows["timeout"][1:3] == ["none", "default"]
    assert rows["codec"][1:4] == ["Secret", "argument", "-"]
    assert rows["queues"][1:4] == ["a,", "b", "argument"]
    assert rows["queue_weights"][1] == "a:5"
    assert rows["retry"][1:4] == ["Never()", "argument", "-"]
    assert "secret" not in out


def test_a_backend_object(cli: Cli, target: str) -> None:
    """A runner with a backend object shows its class."""
    settings = shown(cli, f"{target}:other")
    assert (settings["backend"]["value"], settings["backend"]["source"]) == ("MemoryBackend", "argument")


def test_without_a_target(cli: Cli) -> None:
    """Without a target, only the environment and the defaults count."""
    settings = shown(cli, TALLYSTICK_QUEUES="emails,reports")
    assert (settings["queues"]["value"], settings["queues"]["source"]) == (["emails", "reports"], "environment")
    assert settings["backend"]["source"] == "environment"


def test_every_setting_is_an_option_of_worker() -> None:
    """`tallystick worker` has an option for every setting that is not code."""
    worker: Any = typer.main.get_command(app).commands["worker"].loaded  # type: ignore[attr-defined]  # a group
    names = {name for param in worker.params for name in param.opts}
    renamed = {"queues": "--queue", "queue_weights": "--queues"}
    expected = {renamed.get(name, f"--{name.replace('_', '-')}") for name in Settings.model_fields if name not in CODE}
    assert expected <= names


def test_variables_of_the_command_are_no_unknown_settings(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every variable of an option of the command line is known, so that it causes no warning."""
    worker: Any = typer.main.get_command(app).commands["worker"].loaded  # type: ignore[attr-defined]  # a group
    variables = {param.envvar for param in worker.params if param.envvar}
    assert variables | {"TALLYSTICK_DEBUG"} == {*COMMAND_VARIABLES}
    for variable in variables:
        monkeypatch.setenv(variable, "1")
    with caplog.at_level(logging.WARNING):
        Settings()
    assert "is not a setting" not in caplog.text
