import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import tallystick
from tallystick import signals
from tallystick.cli import logs

from .conftest import Cli

Write = Callable[[str], str]
RUNS: list[dict[str, Any] | None] = []


class StillRunner(tallystick.Runner):
    """A runner that keeps what it was configured with, and returns at once."""

    given: dict[str, Any] | None = None

    def configure(self, **settings: Any) -> None:
        """Keep the settings."""
        super().configure(**settings)
        self.given = settings

    def run(self) -> int:
        """Tell that it ran, and that as many outcomes were not recorded as jobs run at one time beyond 10."""
        RUNS.append(self.given)
        return max(0, self.settings.concurrency - 10)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Leave the logging of this process alone, and keep how it would have been set."""
    configured: list[tuple[str, str]] = []
    RUNS.clear()
    monkeypatch.setattr(logs, "configure", lambda *how: configured.append(how))
    monkeypatch.setattr(signals, "process_signals", nullcontext)
    monkeypatch.setattr(tallystick, "StillRunner", StillRunner, raising=False)
    return configured


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module into the current directory, and return its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"jobs_{tmp_path.name}"
    monkeypatch.delitem(sys.modules, name, raising=False)

    def write(text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


RUNNER = "import tallystick\nrunner = tallystick.StillRunner('memory://')\ndef make(): return runner\nother = 7\n"


def test_the_runner_is_found_and_runs_with_its_own_settings(cli: Cli, module: Write) -> None:
    """Nothing is overridden, not even by the environment: the runner reads that itself."""
    assert cli("worker", f"{module(RUNNER)}:runner").code == 0
    assert RUNS == [None]


def test_a_worker_that_lost_outcomes_exits_with_3(cli: Cli, module: Write) -> None:
    """A supervisor learns that the store did not record how some jobs ended; the error says what becomes of them."""
    answer = cli("worker", f"{module(RUNNER)}:runner", "--concurrency", "12")
    expected = "error: the store did not record 2 outcomes; their jobs are rescued when their leases expire\n"
    assert (answer.code, answer.err) == (3, expected)


def test_a_function_that_returns_a_runner_will_do(cli: Cli, module: Write) -> None:
    """It is called without arguments."""
    assert cli("worker", f"{module(RUNNER)}:make").code == 0
    assert len(RUNS) == 1


def test_options_override_the_runner(cli: Cli, module: Write, quiet: list[tuple[str, str]]) -> None:
    """Seconds become timedeltas, zero is a value, and logging is set before anything is imported."""
    options = "--concurrency 10 --queue a --queue b --backend memory://x --lease 1.5 --grace 0 --log-level debug"
    assert cli("worker", f"{module(RUNNER)}:runner", *options.split(), "--log-format", "json").code == 0
    (given,) = RUNS
    assert given == {
        "backend": "memory://x",
        "concurrency": 10,
        "queues": ["a", "b"],
        "lease": timedelta(seconds=1.5),
        "grace": timedelta(0),
    }
    assert quiet == [("debug", "json")]


@pytest.mark.parametrize("target", ["jobs", "jobs:", ":runner", ":"])
def test_a_target_has_two_parts(cli: Cli, target: str) -> None:
    """The error shows one that has."""
    answer = cli("worker", target)
    assert (answer.code, answer.err) == (2, f"error: '{target}' is not module:attribute, e.g. app.jobs:runner\n")


@pytest.mark.parametrize(("name", "missing"), [("nope", "nope"), ("nope.jobs", "nope"), ("json.nope", "json.nope")])
def test_a_module_that_is_not_there_is_named(cli: Cli, module: Write, name: str, missing: str) -> None:
    """No traceback: the name is wrong, or the directory."""
    answer = cli("worker", f"{name}:runner")
    assert answer.code == 2
    assert answer.err.startswith(f"error: module {missing} was not found in {Path.cwd()} ")


@pytest.mark.parametrize("text", ["import nope_nope", "1 / 0", "def", "from tallystick import Runer"])
def test_what_a_module_raises_is_shown(cli: Cli, module: Write, text: str) -> None:
    """The application's own fault comes with its traceback, then the line."""
    name = module(text)
    answer = cli("worker", f"{name}:runner")
    assert answer.code == 2
    assert answer.err.startswith("Traceback (most recent call last):\n")
    assert f"{name}.py" in answer.err
    assert answer.err.splitlines()[-1].startswith(f"error: importing {name} raised ")


def test_what_a_function_raises_is_shown(cli: Cli, module: Write) -> None:
    """As for a module."""
    name = module("def make(): return {}['key']")
    answer = cli("worker", f"{name}:make")
    assert answer.code == 2
    assert "Traceback" in answer.err
    assert answer.err.endswith(f"\nerror: calling {name}:make raised KeyError: 'key'\n")


def test_an_attribute_that_is_not_there_is_named(cli: Cli, module: Write) -> None:
    """So is the module."""
    name = module(RUNNER)
    answer = cli("worker", f"{name}:runer")
    assert (answer.code, answer.err) == (2, f"error: module {name} has no attribute runer\n")


def test_what_is_not_a_runner_is_refused(cli: Cli, module: Write) -> None:
    """The error tells what it is."""
    name = module(RUNNER)
    answer = cli("worker", f"{name}:other")
    assert (answer.code, answer.err) == (2, f"error: {name}:other is of type int; it must be a tallystick.Runner\n")


@pytest.mark.parametrize(
    "options",
    [
        ("--lease", "soon"),
        ("--lease", "nan"),
        ("--grace", "1e300"),
        ("--lease", "0"),
        ("--concurrency", "0"),
        ("--log-level", "loud"),
    ],
    ids=" ".join,
)
def test_a_bad_option_exits_with_2(cli: Cli, module: Write, options: tuple[str, str]) -> None:
    """Whether the command line refuses it or the runner does."""
    assert cli("worker", f"{module(RUNNER)}:runner", *options).code == 2
    assert RUNS == []


@pytest.mark.parametrize("made", ["tallystick.StillRunner()", "tallystick.StillRunner(concurrency=3)"])
def test_a_worker_without_a_store_is_refused(cli: Cli, module: Write, made: str) -> None:
    """Where no argument and no variable names a store, the error says what to set; an option that names one will do."""
    name = module(f"import tallystick\nrunner = {made}\n")
    answer = cli("worker", f"{name}:runner", TALLYSTICK_BACKEND=None)
    assert answer.code == 2
    assert "pass --backend URL, set TALLYSTICK_BACKEND, or pass a URL to Runner(...)" in answer.err
    assert RUNS == []
    assert cli("worker", f"{name}:runner", "--backend", "memory://x", TALLYSTICK_BACKEND=None).code == 0
    assert len(RUNS) == 1


def test_a_store_from_the_environment_will_do(cli: Cli, module: Write) -> None:
    """The runner reads it itself."""
    assert cli("worker", f"{module('import tallystick; runner = tallystick.StillRunner()')}:runner").code == 0
    assert len(RUNS) == 1


def test_a_store_of_one_process_is_warned_of(cli: Cli, module: Write, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that was given memory:// runs, and its log says that it sees no jobs of other processes."""
    assert cli("worker", f"{module(RUNNER)}:runner").code == 0
    assert "this worker sees no jobs of other processes, because a MemoryBackend" in caplog.text


SCRIPT = """
from tallystick import Context, StillRunner
runner = StillRunner("memory://")
@runner.job("echo")
def echo(payload: int, ctx: Context) -> int:
    return payload
"""


def test_a_runner_that_its_module_started(cli: Cli, module: Write) -> None:
    """It is refused and stopped, and the error says where a script belongs."""
    name = module(SCRIPT + "runner.start()\n")
    answer = cli("worker", f"{name}:runner")
    assert answer.code == 2
    assert "was already started when its module was imported" in answer.err
    assert 'if __name__ == "__main__":' in answer.err
    assert RUNS == []
    assert not sys.modules[name].runner.running


def test_a_runner_that_its_module_closed(cli: Cli, module: Write, caplog: pytest.LogCaptureFixture) -> None:
    """It is opened again and works; a warning says where a script belongs."""
    assert cli("worker", f"{module(SCRIPT + 'with runner: runner.start()')}:runner").code == 0
    assert len(RUNS) == 1
    assert 'if __name__ == "__main__":' in caplog.text
