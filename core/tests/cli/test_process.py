"""The command line as a separate process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from ..helpers import LONG

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=LONG.total_seconds(),
        check=False,
    )


def test_a_command_writes_json_to_a_pipe() -> None:
    """--json writes one JSON document to stdout and nothing else."""
    done = _run("-m", "tallystick.cli", "stats", "--json", TALLYSTICK_BACKEND="memory://")
    assert done.returncode == 0
    assert json.loads(done.stdout)["total"] == 0


def test_an_error_is_a_line_and_an_exit_code() -> None:
    """An error is one line on stderr, without a traceback."""
    done = _run("-m", "tallystick.cli", "jobs", "list")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: no store was selected")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats",),
        ("jobs", "list"),
        ("jobs", "list", "--json"),
        ("setup", "--sql"),
        ("backends",),
        ("doctor",),
        ("config", "show"),
        ("--help",),
        ("jobs", "list", "--help"),
        ("--version",),
        ("jobs", "show", "no-id"),
    ],
    ids=" ".join,
)
def test_a_closed_pipe_is_success(arguments: tuple[str, ...]) -> None:
    """A command exits with 0, and prints no error, when the reader of its output and errors has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tallystick.cli", *arguments]
    environment = ENVIRONMENT | {"TALLYSTICK_BACKEND": "sqlite:///:memory:" if "--sql" in arguments else "memory://"}
    done = subprocess.run(command, env=environment, stdout=writer, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 0


def test_a_closed_pipe_prints_nothing() -> None:
    """A closed stdout causes no message on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tallystick.cli", "stats"]
    environment = ENVIRONMENT | {"TALLYSTICK_BACKEND": "memory://"}
    done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_typer_the_error_says_what_to_install() -> None:
    """Without typer, the core can be imported, and the command line says what to install."""
    script = "import sys; sys.modules['typer'] = None; import tallystick; from tallystick.cli import main; main()"
    done = _run("-c", script)
    assert done.returncode == 2
    assert done.stderr == "error: the command line needs typer; install tallystick-core[cli]\n"


def test_a_worker_runs_until_sigterm(tmp_path: Path) -> None:
    """A worker imports from the current directory, logs JSON to stderr, drains after SIGTERM, and exits with 0."""
    (tmp_path / "app.py").write_text(
        "from tallystick import Context, NewRecord, Runner, open_backend\n"
        "open_backend('memory://here').insert([NewRecord(kind='tests:hello', payload=b'7')])\n"
        "runner = Runner('memory://elsewhere')\n"
        "@runner.job('tests:hello')\n"
        "def hello(payload: int, ctx: Context) -> None:\n"
        "    print('worked', payload, flush=True)\n"
    )
    command = [sys.executable, "-m", "tallystick.cli", "worker", "app:runner", "--log-format", "json"]
    with subprocess.Popen(
        [*command, "--backend", "memory://here"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "worked 7\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LONG.total_seconds())
    assert process.returncode == 0, err
    assert out == ""
    assert all("time" in json.loads(line) for line in err.splitlines())


APP = """
import atexit, sys, threading
from tallystick import Context, Runner
runner = Runner("memory://here")
@runner.job("tests:hello")
def hello(payload: int, ctx: Context) -> None: ...
"""


@contextmanager
def _worker(folder: Path, app: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker, and wait until it has started."""
    (folder / "app.py").write_text(app)
    command = [sys.executable, "-m", "tallystick.cli", "worker", "app:runner"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert any("started on MemoryBackend" in line for line in process.stderr)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_late_signal_is_ignored(tmp_path: Path, first: signal.Signals, second: signal.Signals) -> None:
    """A second signal after the worker has stopped, while Python exits, leaves the exit code at 0."""
    ending = "atexit.register(lambda: (print('ending', flush=True), sys.stdin.readline()))\n"
    with _worker(tmp_path, APP + ending) as process:
        assert process.stdout is not None
        process.send_signal(first)
        assert process.stdout.readline() == "ending\n"
        process.send_signal(second)
        process.communicate("\n", timeout=60)
        assert process.returncode == 0


def test_a_late_signal_ends_a_blocked_exit(tmp_path: Path) -> None:
    """If a thread of the application blocks the exit, a later signal ends the process with exit code 0."""
    with _worker(tmp_path, APP + "threading.Thread(target=threading.Event().wait).start()\n") as process:
        deadline = monotonic() + LONG.total_seconds()
        while process.poll() is None and monotonic() < deadline:
            process.send_signal(signal.SIGTERM)  # signals before the stop only end the grace
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert process.returncode == 0


STOPPED_BY_ITS_STORE = """
import os, signal
from tallystick import Context, Runner
from tallystick_memory import MemoryBackend
class Signalling(MemoryBackend):
    def setup(self):
        os.kill(os.getpid(), signal.{number})
runner = Runner(Signalling())
@runner.job("tests:hello")
def hello(payload: int, ctx: Context) -> None: ...
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_while_it_starts(tmp_path: Path, number: str) -> None:
    """A signal while the worker opens its store stops it right after its start, with exit code 0."""
    (tmp_path / "app.py").write_text(STOPPED_BY_ITS_STORE.replace("{number}", number))
    command = [sys.executable, "-m", "tallystick.cli", "worker", "app:runner"]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "stopped" in done.stderr) == (0, True), done.stderr
