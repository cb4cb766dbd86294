"""Systematic schedules: correct backends pass, and each two-step bug violates its clause."""

from itertools import count
from pathlib import Path

import pytest
from support import PATIENCE
from tallystick import Backend
from tallystick_conformance import Target, conform
from tallystick_conformance.contract.clauses import CLAUSES
from tallystick_conformance.gates import Gate, Run, Turn, steps_of
from tallystick_conformance.harness.pace import Pace
from tallystick_conformance.tiers.schedules.explore import explore
from tallystick_conformance.tiers.schedules.play import Played, Schedule, Stage
from tallystick_conformance.tiers.schedules.program import Program, claim, insert
from tallystick_mutants.memory import sched
from tallystick_sqlite import SqliteBackend

from . import stepwise
from .served import ServedBackend, serving

CLAIMS = Program((insert(0),), {"a": (claim(1, worker="a"),), "b": (claim(1, worker="b"),)})
SCHEDULED = [id for id, clause in CLAUSES.items() if clause.tier == "schedule"]


@pytest.mark.parametrize(
    ("backend", "clause"),
    [
        (stepwise.SelectsThenUpdates, "SCHED-01"),
        (stepwise.TakesTheSelected, "SCHED-01"),
        (sched.SettlesLater, "SCHED-02"),
        (sched.RescuesASnapshot, "SCHED-03"),
        (sched.ChecksKeysFirst, "SCHED-04"),
        (sched.ForgetsCancels, "SCHED-05"),
        (sched.DeletesLater, "SCHED-06"),
        (sched.ReadsPausesFirst, "SCHED-07"),
        pytest.param(sched.ReleasesLater, "SCHED-08", marks=pytest.mark.kit),
    ],
)
def test_two_steps_for_one_are_found(backend: type[Backend], clause: str, tmp_path: Path) -> None:
    """A call that reads in one step and writes in the next violates its clause, even on a busy machine."""
    url = f"sqlite:///{tmp_path}/x.db" if issubclass(backend, SqliteBackend) else "memory://"
    report = conform(Target.from_class(backend, url), profile="standard", only=[clause])

    assert [violation.clause_id for violation in report.violations] == [clause]


def test_every_overlapping_schedule_finds_an_unguarded_claim() -> None:
    """A claim that is overtaken between its select and its update always returns the job twice."""
    target = Target.from_class(stepwise.SelectsThenUpdates, "memory://")
    with Stage(target, steps_of(target), CLAIMS.workers) as stage:
        explored = explore(stage, CLAIMS, Pace(PATIENCE, kinds=2), places=1_000)
        twice = [_claimed(played) == 2 for schedule, played in explored if schedule[0].worker == "a"]

    overlapping = twice[twice.index(True) : len(twice) - twice[::-1].index(True)]
    assert len(overlapping) > 3
    assert all(overlapping)


class UnevenStage(Stage):
    """Runs nothing. Worker b takes three steps before worker a has run, and one step later."""

    def __init__(self) -> None:
        """Open no store."""

    def play(self, program: Program, schedule: Schedule) -> Played:
        """Return an empty history."""
        return Played((), (), Run({"a": 2, "b": 3 if schedule[0].worker == "b" else 1}, []))


def test_a_worker_is_pre_empted_at_each_step_that_it_takes_first() -> None:
    """A call that takes fewer steps after another call is pre-empted at each step that it takes before it."""
    explored = explore(UnevenStage(), CLAIMS, Pace(PATIENCE, kinds=2), places=1_000)
    turns = [(schedule[0].worker, schedule[0].steps) for schedule, _ in explored]
    assert turns == [("a", None), ("a", 1), ("b", None), ("b", 1), ("b", 2)]


def _claimed(played: Played) -> int:
    return sum(len(made.answer) for made in played.history if made.call == "claim")


def test_a_schedule_can_be_made_again(tmp_path: Path) -> None:
    """The same program and schedule produce the same order of steps."""
    target = Target.of(f"sqlite:///{tmp_path}/x.db")
    with Stage(target, steps_of(target), CLAIMS.workers) as stage:
        orders = [stage.play(CLAIMS, [Turn("a", 1), Turn("b", 2)]).run.order for _ in range(3)]

    assert orders[0] == orders[1] == orders[2]


@pytest.mark.kit
def test_right_backends_keep_every_schedule(tmp_path: Path) -> None:
    """Schedules use statements as steps for SQLite, and sent chunks for a server."""
    with serving() as url:
        for target in (Target.of(f"sqlite:///{tmp_path}/x.db"), Target.from_class(ServedBackend, url)):
            report = conform(target, only=SCHEDULED)

            assert report.passed, "\n\n".join(result.detail for result in report.failures)


def test_the_server_is_not_what_is_trusted() -> None:
    """A server with a two-step claim passes as long as each request is one step."""
    with serving(sched.SettlesLater) as url:
        report = conform(Target.from_class(ServedBackend, url), only=["SCHED-02"])

    assert report.passed


@pytest.mark.parametrize("turn", range(1, 12))
def test_a_ctrl_c_lets_workers_go(monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """A Ctrl-C while a worker is held, possibly with a lock, does not hang, and the store can be removed."""
    left = count(turn, -1)

    def interrupted(*_: object) -> None:
        if next(left) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Gate, "_let_wake", interrupted)
    target = Target.of("memory://")
    with pytest.raises(KeyboardInterrupt), Stage(target, steps_of(target), CLAIMS.workers) as stage:
        stage.play(CLAIMS, [Turn("a", None), Turn("b", None)])
