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
    """A runner that keeps the settings of `configure`, and whose `run` returns at once."""

    overrides: dict[str, Any] | None = None

    def configure(self, **settings: Any) -> None:
        """Keep the settings."""
        super().configure(**settings)
        self.overrides = settings

    def run(self) -> int:
        """Record the run, and return one lost outcome for each unit of concurrency above 10."""
        RUNS.append(self.overrides)
        return max(0, self.settings.concurrency - 10)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Keep the process's logging unchanged, and return the recorded calls of `logs.configure`."""
    configured: list[tuple[str, str]] = []
    RUNS.clear()
    monkeypatch.setattr(logs, "configure", lambda *how: configured.append(how))
    monkeypatch.setattr(signals, "process_signals", lambda: nullcontext(signals.StopSignals()))
    monkeypatch.setattr(tallystick, "StillRunner", StillRunner, raising=False)
    return configured


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a module into the current directory and returns its name."""
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
    """Without options, `worker` overrides no setting; the runner reads the environment itself."""
    assert cli("worker", f"{module(RUNNER)}:runner").code == 0
    assert RUNS == [None]


def test_a_worker_that_lost_outcomes_exits_with_3(cli: Cli, module: Write) -> None:
    """If the store did not record some outcomes, `worker` exits with 3, and the error says what happens to the jobs."""
    result = cli("worker", f"{module(RUNNER)}:runner", "--concurrency", "12")
    expected = "error: the store did not record 2 outcomes; their jobs are rescued when their leases expire\n"
    assert (result.code, result.err) == (3, expected)


def test_a_target_can_be_a_function(cli: Cli, module: Write) -> None:
    """A target can be a function that returns a runner."""
    assert cli("worker", f"{module(RUNNER)}:make").code == 0
    assert len(RUNS) == 1


def test_options_override_the_runner(cli: Cli, module: Write, quiet: list[tuple[str, str]]) -> None:
    """Options override the runner's settings: seconds become timedeltas, and zero is a value."""
    options = "--concurrency 10 --queue a --queue b --backend memory://x --lease 1.5 --grace 0 --log-level debug"
    assert cli("worker", f"{module(RUNNER)}:runner", *options.split(), "--log-format", "json").code == 0
    (overrides,) = RUNS
    assert overrides == {
        "backend": "memory://x",
        "concurrency": 10,
        "queues": ["a", "b"],
        "lease": timedelta(seconds=1.5),
        "grace": timedelta(0),
    }
    assert quiet == [("debug", "json")]


@pytest.mark.parametrize("target", ["jobs", "jobs:", ":runner", ":"])
def test_a_target_has_two_parts(cli: Cli, target: str) -> None:
    """A target without two parts is rejected with an example."""
    result = cli("worker", target)
    assert (result.code, result.err) == (2, f"error: '{target}' is not module:attribute, e.g. app.jobs:runner\n")


@pytest.mark.parametrize(("name", "missing"), [("nope", "nope"), ("nope.jobs", "nope"), ("json.nope", "json.nope")])
def test_a_module_that_is_not_there_is_named(cli: Cli, module: Write, name: str, missing: str) -> None:
    """For a missing module, the error names it and the directory, without a traceback."""
    result = cli("worker", f"{name}:runner")
    assert result.code == 2
    assert result.err.startswith(f"error: module {missing} was not found in {Path.cwd()} ")


@pytest.mark.parametrize("text", ["import nope_nope", "1 / 0", "def", "from tallystick import Runer"])
def test_an_exception_of_the_module_is_shown(cli: Cli, module: Write, text: str) -> None:
    """If importing the module raises, its traceback precedes the error line."""
    name = module(text)
    result = cli("worker", f"{name}:runner")
    assert result.code == 2
    assert result.err.startswith("Traceback (most recent call last):\n")
    assert f"{name}.py" in result.err
    assert result.err.splitlines()[-1].startswith(f"error: importing {name} raised ")


def test_an_exception_of_the_function_is_shown(cli: Cli, module: Write) -> None:
    """If calling the target raises, its traceback precedes the error line."""
    name = module("def make(): return {}['key']")
    result = cli("worker", f"{name}:make")
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err.endswith(f"\nerror: calling {name}:make raised KeyError: 'key'\n")


def test_an_attribute_that_is_not_there_is_named(cli: Cli, module: Write) -> None:
    """For a missing attribute, the error names it and its module."""
    name = module(RUNNER)
    result = cli("worker", f"{name}:runer")
    assert (result.code, result.err) == (
        2,
        f"error: module {name} has no attribute runer; did you mean 'runner'? name the runner as module:attribute\n",
    )


def test_a_target_of_another_type_is_rejected(cli: Cli, module: Write) -> None:
    """A target of another type is rejected, and the error names the type."""
    name = module(RUNNER)
    result = cli("worker", f"{name}:other")
    assert (result.code, result.err) == (2, f"error: {name}:other is of type int; it must be a tallystick.Runner\n")


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
    """An invalid option exits with 2, whether the command line or the runner rejects it."""
    assert cli("worker", f"{module(RUNNER)}:runner", *options).code == 2
    assert RUNS == []


@pytest.mark.parametrize("call", ["tallystick.StillRunner()", "tallystick.StillRunner(concurrency=3)"])
def test_a_worker_without_a_store_is_rejected(cli: Cli, module: Write, call: str) -> None:
    """Without a store, the error says how to choose one; --backend is enough."""
    name = module(f"import tallystick\nrunner = {call}\n")
    result = cli("worker", f"{name}:runner", TALLYSTICK_BACKEND=None)
    assert result.code == 2
    assert "pass --backend URL, set TALLYSTICK_BACKEND, or pass a URL to Runner(...)" in result.err
    assert RUNS == []
    assert cli("worker", f"{name}:runner", "--backend", "memory://x", TALLYSTICK_BACKEND=None).code == 0
    assert len(RUNS) == 1


def test_a_store_from_the_environment(cli: Cli, module: Write) -> None:
    """The runner reads TALLYSTICK_BACKEND itself."""
    assert cli("worker", f"{module('import tallystick; runner = tallystick.StillRunner()')}:runner").code == 0
    assert len(RUNS) == 1


def test_a_store_of_one_process_causes_a_warning(cli: Cli, module: Write, caplog: pytest.LogCaptureFixture) -> None:
    """A worker on memory:// runs, and logs a warning that it sees no jobs of other processes."""
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
    """If its module has started the runner, `worker` stops it, and the error says to guard the script."""
    name = module(SCRIPT + "runner.start()\n")
    result = cli("worker", f"{name}:runner")
    assert result.code == 2
    assert "was already started when its module was imported" in result.err
    assert 'if __name__ == "__main__":' in result.err
    assert RUNS == []
    assert not sys.modules[name].runner.running


def test_a_runner_that_its_module_closed(cli: Cli, module: Write, caplog: pytest.LogCaptureFixture) -> None:
    """If its module has closed the runner, `worker` opens it again, and logs a warning to guard the script."""
    assert cli("worker", f"{module(SCRIPT + 'with runner: runner.start()')}:runner").code == 0
    assert len(RUNS) == 1
    assert 'if __name__ == "__main__":' in caplog.text


def test_every_kind_of_option(cli: Cli, module: Write) -> None:
    """Options for records, retries and claims reach the runner: "forever" is None, a flag is a bool."""
    options = (
        "--poll 0.25 --batch 50 --maintenance 60 --max-attempts 3 --retry-base 2 --timeout 90 --keep-completed 3600 "
        "--keep-discarded forever --keep-cancelled 0 --no-auto-setup --worker w1"
    )
    assert cli("worker", f"{module(RUNNER)}:runner", *options.split()).code == 0
    assert [
        {
            "poll": timedelta(seconds=0.25),
            "batch": 50,
            "maintenance": timedelta(minutes=1),
            "max_attempts": 3,
            "retry_base": timedelta(seconds=2),
            "timeout": timedelta(seconds=90),
            "keep_completed": timedelta(hours=1),
            "keep_discarded": None,
            "keep_cancelled": timedelta(0),
            "auto_setup": False,
            "worker": "w1",
        }
    ] == RUNS


def test_options_of_the_command_come_from_the_environment(
    cli: Cli, module: Write, quiet: list[tuple[str, str]]
) -> None:
    """An option of the command that is no setting of a runner has a variable, which an option overrides."""
    name = module(RUNNER)
    variables = {"TALLYSTICK_LOG_LEVEL": "warning", "TALLYSTICK_LOG_FORMAT": "json"}
    assert cli("worker", f"{name}:runner", "--log-format", "text", **variables).code == 0
    assert quiet == [("warning", "text")]
    assert cli("worker", f"{name}:runner", TALLYSTICK_MAX_JOBS="0").code == 2
