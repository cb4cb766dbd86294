"""The command `tallystick conform`."""

import _thread
import gc
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
import tallystick_conformance
import tallystick_sqlite
import typer
from interrupts import interrupts
from support import PATIENCE
from tallystick import NewRecord
from tallystick_conformance import Result, Status, Target, conform
from tallystick_conformance.command.app import conform_app
from tallystick_conformance.command.plugin import tallystick_cli
from tallystick_conformance.command.progress import Lines
from tallystick_conformance.contract.clauses import CLAUSES
from tallystick_conformance.harness.case import Case
from tallystick_conformance.harness.interrupts import as_interrupts
from tallystick_conformance.harness.profiles import PROFILES
from tallystick_conformance.harness.shares import Share
from tallystick_mutants.memory.payload import StripsNul
from tallystick_sqlite import SqliteBackend
from typer.core import TyperGroup
from typer.testing import CliRunner

app = typer.Typer()
app.callback()(lambda: None)
tallystick_cli(app)

runner = CliRunner()


def test_a_right_backend_exits_with_zero() -> None:
    """The summary states that the backend conforms."""
    result = runner.invoke(app, ["conform", "memory://", "--only", "RACE-01", "--only", "WAIT-05"])

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith(
        f"memory:// was tested on 2 of {len(CLAUSES)} clauses: 2 passed (quick, "
    )


def test_the_report_as_json() -> None:
    """With --json, the output is only the report."""
    result = runner.invoke(app, ["conform", "run", "memory://", "--only", "CAP-02", "--json"])

    assert result.exit_code == 0
    assert [clause["status"] for clause in json.loads(result.stdout)["clauses"]] == ["not declared"]


def test_a_broken_backend_exits_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A violation is printed with its program, and the exit code is 1."""
    target = Target.from_class(StripsNul, "memory://")
    monkeypatch.setattr("tallystick_conformance.command.app.conform", lambda url, **options: conform(target, **options))
    result = runner.invoke(app, ["conform", "memory://", "--only", "PAYLOAD-01"])

    assert result.exit_code == 1
    assert "PAYLOAD-01 is broken: A payload of any bytes is kept unchanged." in result.output
    assert "    backend.insert(" in result.output
    assert "memory:// does not conform: 1 violated" in result.output


def test_a_violation_states_how_to_reproduce_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With --report, the output names the command that replays the trace; without it, the option to use."""
    target = Target.from_class(StripsNul, "memory://")
    monkeypatch.setattr("tallystick_conformance.command.app.conform", lambda url, **options: conform(target, **options))
    printed = runner.invoke(app, ["conform", "memory://", "--only", "PAYLOAD-01"]).output
    written = runner.invoke(app, ["conform", "memory://", "--only", "PAYLOAD-01", "--report", str(tmp_path)]).output

    assert "to reproduce: run again with --only PAYLOAD-01 --report DIR" in printed
    assert f"to reproduce: tallystick conform replay {tmp_path / 'trace-PAYLOAD-01.json'} URL" in written
    assert (tmp_path / ".tallystick-conform" / "trace-PAYLOAD-01.json").exists()


def test_a_report_is_verified(tmp_path: Path) -> None:
    """`conform verify` exits with 1 and reasons for a partial report, and with 2 for a file that is not a report."""
    runner.invoke(app, ["conform", "memory://", "--only", "CAP-01", "--report", str(tmp_path)])
    partial = runner.invoke(app, ["conform", "verify", str(tmp_path / "report.json")])

    assert partial.exit_code == 1
    assert f"only 1 of {len(CLAUSES)} clauses were selected" in partial.output
    assert runner.invoke(app, ["conform", "verify", str(tmp_path / "junit.xml")]).exit_code == 2
    assert runner.invoke(app, ["conform", "verify", str(tmp_path / "none.json")]).exit_code == 2


def test_a_known_failure_is_reported_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --known, the run exits with 0 while the clause fails, and with 1 once it passes."""
    arguments = ["conform", "memory://", "--only", "PAYLOAD-01", "--known", "PAYLOAD-01=https://example.org/1"]
    fixed = runner.invoke(app, arguments)
    target = Target.from_class(StripsNul, "memory://")
    monkeypatch.setattr("tallystick_conformance.command.app.conform", lambda url, **options: conform(target, **options))
    known = runner.invoke(app, arguments)

    assert known.exit_code == 0
    assert "known: https://example.org/1" in known.output
    assert fixed.exit_code == 1
    assert "remove it from the known failures" in fixed.output


def test_too_little_work_exits_with_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with too little work done within its time limit neither fails nor conforms."""
    few = Result("SCHED-01", Status.PASSED, shares=(Share("schedules", 1, 50),))
    report = replace(conform("memory://", only=["BATCH-01"]), results=[few])
    monkeypatch.setattr("tallystick_conformance.command.app.conform", lambda url, **options: report)
    result = runner.invoke(app, ["conform", "memory://", "--only", "SCHED-01"])

    assert result.exit_code == 3
    assert "memory:// is not proven, incomplete: 2 % of the schedules tried" in result.output


def test_progress_in_a_log_is_lines() -> None:
    """A family gets a line when it begins, at most one a second, and a long family gets one every ten seconds."""
    now, out = [0.0], StringIO()
    lines = Lines(6, out, clock=lambda: now[0])
    clauses = ("CLAIM-01", 0), ("CLAIM-02", 1), ("TIME-01", 1.5), ("WAIT-01", 2), ("WAIT-02", 11), ("WAIT-03", 13)
    for what, at in clauses:
        now[0] = at
        lines.on_start(what)
        lines.on_progress(Result(what, Status.PASSED))
    now[0] = 14
    for n in range(1, 4):
        lines.on_start(f"generated programs: {n}")

    assert out.getvalue().splitlines() == [
        "   0.0 s  0/6  CLAIM-01",
        "   1.5 s  2/6  TIME-01",
        "  11.0 s  4/6  WAIT-02",
        "  14.0 s  6/6  generated programs: 1",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """After a signal, the report has the findings so far, no store is left, and the exit code names the signal."""
    stores, folder = tmp_path / "stores", tmp_path / "report"
    stores.mkdir()
    arguments = [
        "conform",
        f"sqlite:///{stores}/x.db",
        "--only",
        "QUERY-04",
        "--only",
        "RECORD-02",
        "--report",
        str(folder),
    ]
    with subprocess.Popen([sys.executable, "-m", "tallystick.cli", *arguments], stderr=subprocess.PIPE) as process:
        for there in (True, False, True):  # the store of the first check of the backend, then the store of a clause
            assert _within(partial(_is_used, stores, there))
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)

    report = json.loads((folder / "report.json").read_text())
    assert process.returncode == 128 + number
    assert report["interrupted"] is True
    assert [clause["status"] for clause in report["clauses"] if clause["id"] == "RECORD-02"] == ["not run"]
    assert list(stores.iterdir()) == []
    assert _complaints(errors) == []


@pytest.mark.parametrize("pause", [0.0, 0.2], ids=["at once", "busy machine"])
def test_an_interrupt_in_a_garbage_collection_is_not_lost(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    """An interrupt that Python only prints, because it was raised in a garbage collection, is raised again soon.

    On a busy machine, the main thread may leave the hook that sees the interrupt late.
    """
    start = _thread.start_new_thread

    def start_slowly(function: Any, arguments: Any) -> None:
        start(function, arguments)
        sleep(pause)

    monkeypatch.setattr(_thread, "start_new_thread", start_slowly)

    def interrupt(*_: object) -> None:
        gc.callbacks.remove(interrupt)
        signal.raise_signal(signal.SIGINT)

    def collect() -> None:
        gc.collect()  # first the garbage of other tests: one of its finalizers could suppress the interrupt
        gc.callbacks.append(interrupt)
        gc.collect()
        Event().wait(PATIENCE)

    with as_interrupts() as signals, pytest.raises(KeyboardInterrupt):
        collect()

    assert signals == [signal.SIGINT]


def test_a_store_that_is_half_made_is_removed(tmp_path: Path) -> None:
    """If an interrupt arrives just after setup created an empty file, the file is removed."""
    interrupts = iter([KeyboardInterrupt])

    class Interrupted(SqliteBackend):
        def setup(self) -> None:
            for interrupt in interrupts:
                self._location.path.touch()
                raise interrupt
            super().setup()

    target = Target.from_class(Interrupted, f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(KeyboardInterrupt), target.fresh():
        pass
    target.clean()

    assert list(tmp_path.iterdir()) == []


def test_no_store_is_left_wherever_an_interrupt_comes(tmp_path: Path) -> None:
    """Wherever an interrupt comes in the kit or the backend, the store and its files are removed."""
    target = Target.of(f"sqlite:///{tmp_path}/x.db")
    files = (str(Path(tallystick_sqlite.__file__).parent), str(Path(tallystick_conformance.__file__).parent))
    number = 0

    def use_a_store() -> None:
        with Case("QUERY-04", target, PROFILES["quick"]) as case:
            case.client().insert([NewRecord(kind="k")])
            case.claim()

    gc.freeze()  # makes the collections fast
    try:
        for interrupt in interrupts(use_a_store, files, step=37):
            number += 1
            target.clean(interrupt)
            assert list(tmp_path.iterdir()) == []
    finally:
        gc.unfreeze()

    assert number > 30
    assert list(tmp_path.iterdir()) == []


def _complaints(errors: bytes) -> list[bytes]:
    """Return standard error without the progress lines."""
    return [line for line in errors.splitlines() if not re.match(rb" *[0-9.]+ s  ", line)]


def _is_used(stores: Path, there: bool) -> bool:
    return any(stores.iterdir()) is there


def _within(condition: Callable[[], bool]) -> bool:
    deadline = monotonic() + PATIENCE
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.01)
    return True


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="this platform does not list the children of a process"
)
@pytest.mark.parametrize("clause", ["RACE-10", "CRASH-03"])
def test_ctrl_c_reaches_other_processes_too(tmp_path: Path, clause: str) -> None:
    """After a Ctrl-C, which reaches all processes of a terminal, the kit's processes print and leave nothing."""
    arguments = ["conform", f"sqlite:///{tmp_path}/x.db", "--only", clause]
    command = [sys.executable, "-m", "tallystick.cli", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert _within(partial(_has_children, process.pid))
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, _complaints(errors)) == (130, [])
    assert list(tmp_path.iterdir()) == []


def _has_children(pid: int) -> bool:
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memory://", "--known", "CLAIM-01"], "'CLAIM-01' has no link"),
        (["memory://", "--known", "NOPE-01=https://x"], "NOPE-01"),
        (["acme://x"], "no installed plugin serves acme://"),
        (["memory://", "--only", "NOPE-01"], "unknown clause or family: NOPE-01"),
        (["--only", "CLAIM-01"], "no URL"),
        (["memory"], "is not a backend URL"),
    ],
)
def test_misuse_exits_with_two(arguments: list[str], message: str) -> None:
    """A URL that cannot be opened, an unknown clause and a missing URL are reported in one line."""
    result = runner.invoke(app, ["conform", *arguments])

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_clauses_are_listed() -> None:
    """--list prints each clause with its sentence."""
    lines = runner.invoke(app, ["conform", "--list"]).output.splitlines()

    assert len(lines) == len(CLAUSES)
    assert lines[0].split()[0] == next(iter(CLAUSES))


def test_mutants_print_a_matrix(tmp_path: Path) -> None:
    """`conform mutants` prints each mutant's fate and writes the matrix as JSON."""
    names = ("claims late", "strips NUL")
    only = [argument for name in names for argument in ("--only", name)]
    result = runner.invoke(app, ["conform", "mutants", *only, "--json", str(tmp_path / "matrix.json")])

    assert result.exit_code == 0
    assert "2 of 2 mutants killed: 100.0% (quick)" in result.output
    assert [entry["killed"] for entry in json.loads((tmp_path / "matrix.json").read_text())["mutants"]] == [True, True]


MUTANTS = """
import threading
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

class Hangs(MemoryBackend):
    def setup(self):
        threading.Event().wait()

MUTANTS = [Mutant("hangs", "CLAIM", Hangs)]
"""


def test_a_mutant_that_hangs_exits_with_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--seconds` limits the time of a mutant; a hung mutant counts neither as killed nor as survived."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hanging_mutants.py").write_text(MUTANTS)
    result = runner.invoke(app, ["conform", "mutants", "--module", "hanging_mutants", "--seconds", "0.5"])

    assert result.exit_code == 3
    assert "[1/1] HUNG: hangs (0.5 s)" in result.stderr
    assert "HUNG  CLAIM  it was still running after 0.5 s  memory  hangs" in result.stdout
    assert "0 of 1 mutants killed: 0.0% (quick), 1 hung" in result.stdout


def test_an_interrupt_ends_mutants_that_run(tmp_path: Path) -> None:
    """SIGINT ends the mutants' processes, prints the matrix so far, and exits with 130."""
    marker = tmp_path / "began"
    text = MUTANTS.replace("threading.Event().wait()", f"open({str(marker)!r}, 'w'); threading.Event().wait()")
    (tmp_path / "hanging_mutants.py").write_text(text)
    command = [sys.executable, "-m", "tallystick.cli", "conform", "mutants", "--module", "hanging_mutants"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert _within(marker.exists)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, "")
    assert "0 of 0 mutants killed" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "nan"], "Invalid value for '--seconds'"),
        (["--seconds", "inf"], "--seconds is inf"),
        (["--json", "no/such/folder/kill.json"], "its folder does not exist"),
        (["--module", "no_such_module"], "'no_such_module' is not a module that defines MUTANTS"),
        (["--server", "postgres"], "write --server NAME=URL"),
    ],
)
def test_misuse_of_mutants_exits_with_two(arguments: list[str], message: str) -> None:
    """An invalid option is reported in one line before any mutant runs."""
    result = runner.invoke(app, ["conform", "mutants", *arguments])

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize("command", ["run", "verify", "replay", "mutants"])
def test_every_option_has_a_help_text(command: str) -> None:
    """`--help` explains each argument and option of each command."""
    group = typer.main.get_command(conform_app)
    assert isinstance(group, TyperGroup)
    parameters = group.commands[command].params
    unexplained = [parameter.name for parameter in parameters if not getattr(parameter, "help", None)]
    assert unexplained == []


def test_a_report_that_nests_too_deeply_cannot_be_read(tmp_path: Path) -> None:
    """`conform verify` exits with 2 for a file that Python's JSON reader gives up on."""
    (tmp_path / "deep.json").write_text("[" * 100_000)
    result = runner.invoke(app, ["conform", "verify", str(tmp_path / "deep.json")])

    assert (result.exit_code, result.output[:7]) == (2, "error: ")
