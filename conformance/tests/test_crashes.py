"""Processes that die: a correct backend passes, and each bug violates its clause."""

import threading
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import cast

import pytest
from tallystick import Backend
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.contract.clauses import CLAUSES
from tallystick_conformance.tiers.crashes.child import Death
from tallystick_conformance.tiers.crashes.fork_server import ForkServer

CRASHES = [id for id, clause in CLAUSES.items() if clause.tier == "crash"]


@pytest.fixture
def stepwise(monkeypatch: pytest.MonkeyPatch) -> object:
    """The broken backends, in a module that other processes can import."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return import_module("stepwise")


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("AnswersFirst", "CRASH-01"),
        ("CommitsEach", "CRASH-02"),
        ("RescuesInTwoSteps", "CRASH-03"),
        ("LocksAndUnlocks", "CRASH-04"),
        ("SetsUpOnce", "CRASH-05"),
    ],
)
def test_what_a_death_leaves_is_found(stepwise: object, name: str, clause: str, tmp_path: Path) -> None:
    """A call that is left incomplete, or that blocks others, violates its clause in the quick profile."""
    backend: type[Backend] = getattr(stepwise, name)
    report = conform(Target.from_class(backend, f"sqlite:///{tmp_path}/x.db"), only=[clause])

    assert [violation.clause_id for violation in report.violations] == [clause]


@pytest.mark.kit
def test_sqlite_survives(tmp_path: Path) -> None:
    """The SQLite backend keeps every clause, at whichever step a process dies."""
    report = conform(f"sqlite:///{tmp_path}/x.db", only=CRASHES)

    assert report.passed
    assert [result.status for result in report.results] == [Status.PASSED] * len(CRASHES)


def test_what_is_not_durable_is_not_killed() -> None:
    """If `durable` is not declared, the crash clauses are reported as not declared."""
    report = conform("memory://", only=CRASHES)

    assert {result.status for result in report.results} == {Status.NOT_DECLARED}


def test_a_backend_of_nowhere_is_not_run(tmp_path: Path) -> None:
    """A `make_backend` that cannot be pickled is reported as such."""
    sqlite = Target.of(f"sqlite:///{tmp_path}/x.db")

    def make_backend(namespace: str) -> Backend:
        return sqlite.make(namespace)

    report = conform(make_backend, only=["CRASH-02"])

    assert report.results[0].status is Status.NOT_RUN
    assert "cannot be sent" in report.results[0].detail


def test_a_ctrl_c_leaves_nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C at the start of a child process leaves no thread that blocks the interpreter's exit."""
    start = Timer.start

    def interrupted(timer: Timer) -> None:
        start(timer)
        raise KeyboardInterrupt

    monkeypatch.setattr(Timer, "start", interrupted)
    fork_server = ForkServer()
    with pytest.raises(KeyboardInterrupt):
        fork_server.run(cast("Death", None))
    fork_server.close()

    assert [thread for thread in threading.enumerate() if isinstance(thread, Timer) and not thread.daemon] == []
