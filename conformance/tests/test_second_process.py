"""A run in two processes: the same results as in one, and no store is left if it ends early."""

import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread

import pytest
from support import PATIENCE
from tallystick import Filter
from tallystick_conformance import CLAUSES, Result, Status, Target, Violation, conform
from tallystick_conformance.contract.clauses import family
from tallystick_conformance.contract.ways import WAYS
from tallystick_conformance.harness.parcel import Parcel
from tallystick_conformance.harness.profiles import PROFILES
from tallystick_conformance.running import engine
from tallystick_conformance.running import run_in_two as in_two
from tallystick_conformance.running.run_in_two import TIERS, run_in_two
from tallystick_conformance.running.second_process import Answer, Programs, Work, judge, portable
from tallystick_conformance.running.session import Session
from tallystick_conformance.subject.first_look import looked_at
from tallystick_conformance.subject.tracing import TracedCall

IDS = ["CLAIM-02", "SETUP-01", "SCHED-01", "SCHED-02"]
HERE, THERE = "in the first process", "in the second process"


class Scripted(Session):
    """A session without a store, in which every example and program passes except one."""

    broken = ""

    def examples(self, id: str) -> Result:
        """Return the result of the clause's examples."""
        return self.noted(Result(id, Status.ERROR if id == self.broken else Status.PASSED, HERE))

    def programs(self, ids: Collection[str]) -> Iterator[Result]:
        """Return the results of generated programs."""
        return (Result(id, Status.PASSED, HERE) for id in ids)


@pytest.fixture
def session() -> Scripted:
    target = Target.of("memory://")
    return Scripted(target, PROFILES["quick"], looked_at(target).capabilities, {}, everything=False)


def _answer(monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> None:
    """Replace the second process by one that gives these answers and then ends."""

    @contextmanager
    def second_process(work: Work, on_wait: Callable[[], None]) -> Iterator[Callable[[], Answer]]:
        assert (work.examples, work.programs) == (IDS[2:], IDS[:1])
        left = iter(answers)
        yield lambda: next(left, None)

    monkeypatch.setattr(in_two, "second_process", second_process)


def _there(id: str, status: Status = Status.PASSED) -> Result:
    return Result(id, status, THERE)


def _details(session: Session) -> dict[str, str]:
    return {result.clause_id: result.detail for result in run_in_two(session, IDS)}


def test_two_processes_share_the_clauses(session: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process judges schedules and generated programs, and its covered transitions count."""
    _answer(monkeypatch, _there("SCHED-01"), _there("SCHED-02"), Programs([_there("CLAIM-02")], [WAYS[0]]))

    assert _details(session) == dict(zip(IDS, (THERE, HERE, THERE, THERE), strict=True))
    assert session.ways == {WAYS[0]}


def test_a_clause_that_breaks_elsewhere_counts(session: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clause that the second process found broken is the first of its family."""
    broken = _there("SCHED-01", Status.VIOLATED)
    _answer(monkeypatch, broken, _there("SCHED-02", Status.NOT_JUDGED), Programs([_there("CLAIM-02")], []))

    assert [result.status for result in run_in_two(session, IDS) if result.clause_id in IDS[2:]] == [
        Status.VIOLATED,
        Status.NOT_JUDGED,
    ]
    assert session.first == {"SCHED": "SCHED-01"}


def test_if_the_second_process_ends_the_first_does_its_work(session: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the second process ends early, the first one judges the clauses that are left."""
    _answer(monkeypatch, _there("SCHED-01"))

    assert _details(session) == dict(zip(IDS, (HERE, HERE, THERE, HERE), strict=True))


def test_programs_run_without_the_clauses_that_examples_broke(
    session: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an example broke a clause of the model, programs run again for the others, as in one process."""
    session.broken = "CLAIM-02"
    _answer(monkeypatch, _there("SCHED-01"), _there("SCHED-02"), Programs([_there("CLAIM-02")], []))
    results = list(run_in_two(session, IDS))

    assert [(result.status, result.detail) for result in results if result.clause_id == "CLAIM-02"] == [
        (Status.ERROR, HERE)
    ]


def test_only_whole_runs_on_shared_stores_take_two_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run of all clauses takes two processes if the backend declares `multi_process`; a run of some takes one."""

    def judged(detail: str) -> Callable[[Session, Sequence[str]], Iterator[Result]]:
        return lambda _, ids: (Result(id, Status.PASSED, detail) for id in ids)

    monkeypatch.setattr(engine, "run_in_two", judged(THERE))
    monkeypatch.setattr(Session, "run", judged(HERE))
    url = f"sqlite:///{tmp_path}/x.db"

    assert {result.detail for result in conform(url).results} == {THERE}
    assert {result.detail for result in conform(url, only=["CAP-01"]).results} == {HERE}
    assert {result.detail for result in conform("memory://").results} == {HERE}


def test_a_family_is_in_one_process() -> None:
    """No family has a clause in a tier of the second process and another one elsewhere."""
    tiers = {clause.tier for clause in CLAUSES.values() if family(clause.id) in {"SCHED", "HISTORY"}}
    families = {family(clause.id) for clause in CLAUSES.values() if clause.tier in TIERS}

    assert (tiers, families) == (set(TIERS), {"SCHED", "HISTORY"})


def _violated(*arguments: object) -> Result:
    steps = [TracedCall("list", (Filter(), *arguments), {"limit": 1}), TracedCall("queues", (), {}, client="b")]
    violation = Violation("CLAIM-02", "no job", lambda: None, steps)
    violation.raised = "an exception"
    return Result("CLAIM-02", Status.VIOLATED, str(violation), 1.5, violation, error=ValueError("e"), raised="text")


def test_a_violation_crosses_processes() -> None:
    """A violation arrives with its text and with calls that can be replayed."""
    result = _violated()
    here, there = Pipe()
    there.send(portable(result))
    received = here.recv()

    assert received == result
    assert received.raised == result.raised
    assert str(received.violation) == str(result.violation)
    assert [vars(step) for step in received.violation.steps] == [vars(step) for step in result.violation.steps]  # type: ignore[union-attr] # it has one


def test_a_call_that_cannot_be_pickled_is_sent_as_text() -> None:
    """If an argument of a call cannot be pickled, the violation has the same text without the call's data."""
    result = _violated(Lock())
    sent = portable(result)

    assert str(sent.violation) == str(result.violation)
    assert [type(step) for step in sent.violation.steps] == [str, str]  # type: ignore[union-attr] # it has one


def test_a_process_that_ends_early_leaves_no_store(tmp_path: Path) -> None:
    """If the first process closes the pipe, the second one ends within its clause, and removes its stores."""
    target = Target.of(f"sqlite:///{tmp_path}/x.db")
    capabilities = looked_at(target).capabilities
    make, size = Parcel.of(target.make), PROFILES["quick"]
    work = Work(["QUERY-04"] * 10_000, [], make, "name", target.url, size, capabilities, {}, everything=False, first={})
    here, there = Pipe()

    def close_after_a_result(pipe: Connection) -> None:
        assert pipe.recv() is None
        assert pipe.recv().status is Status.PASSED
        pipe.close()

    closing = Thread(target=close_after_a_result, args=[here])
    closing.start()
    judge(work, there)
    closing.join()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.kit
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both_processes(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends a run of all clauses with its exit code, without a store and without a traceback."""
    command = [sys.executable, "-m", "tallystick.cli", "conform", f"sqlite:///{tmp_path}/x.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while " BATCH-" not in process.stderr.readline():  # by then, the second process runs schedules
            assert process.poll() is None
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
