"""The report of a run on the terminal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from tallystick import Capabilities
from tallystick_conformance import CLAUSES, Report, Result, Status, Target, Violation, conform, reports
from tallystick_conformance.reports.terminal import described
from tallystick_conformance.subject.first_look import Subject
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory.payload import StripsNul

CAPABILITIES = Capabilities(
    durable=False,
    multi_process=False,
    notify=True,
    transactions=False,
    time_precision=timedelta(milliseconds=1),
    max_payload_bytes=1_000,
    max_batch=100,
)


def _report(*results: Result) -> Report:
    return Report(Subject("acme://host", CAPABILITIES), "quick", 0, list(results), datetime(2031, 5, 17, tzinfo=UTC))


def _passed() -> list[Result]:
    return [Result(id, Status.PASSED) for id in CLAUSES]


@pytest.mark.parametrize(
    ("change", "start"),
    [
        (lambda report: None, "acme://host conforms: "),
        (lambda report: report.results.pop(), "acme://host was tested on "),
        (
            lambda report: report.results.append(Result("CLAIM-01", Status.ERROR, "boom")),
            "acme://host does not conform",
        ),
        (lambda report: setattr(report, "interrupted", True), "acme://host was interrupted"),
        (
            lambda report: report.results.append(Result("CLAIM-01", Status.KNOWN, "known: link")),
            "acme://host conforms, except for 1 known failure",
        ),
    ],
)
def test_the_last_line_is_the_verdict(change: Callable[[Report], object], start: str) -> None:
    """The last line states that a backend conforms only if every clause was tested and none failed."""
    report = _report(*_passed())
    change(report)

    assert described(report).splitlines()[-1].startswith(start)


def test_the_slowest_clauses_are_named() -> None:
    """The five slowest clauses are listed before the verdict, unless all were quick."""
    slow = _report(*(Result(id, Status.PASSED, seconds=n) for n, id in enumerate(CLAUSES)))
    last = list(CLAUSES)[::-1]

    assert described(slow).splitlines()[-2].startswith(f"slowest: {last[0]} {len(last) - 1}.0 s, {last[1]} ")
    assert described(slow).splitlines()[-2].count(" s") == 5
    assert "slowest" not in described(_report(*_passed()))


def test_a_violation_is_short() -> None:
    """A violation shows its sentence, the expected and observed values and both ends of its program, in cut lines."""
    steps = [f"backend.insert({n})" for n in range(30)]
    violation = Violation("CLAIM-02", "no job", "x" * 5_000, steps)
    lines = described(_report(Result("CLAIM-02", Status.VIOLATED, str(violation), violation=violation))).splitlines()

    assert lines[0] == "CLAIM-02 is broken: No job is claimed before its run_at."
    assert lines[3:5] == ["  after:", "    backend.insert(0)"]
    assert lines[14] == "    ... 10 other calls ..."
    assert lines[24] == "    backend.insert(29)"
    assert lines[25] == "  to reproduce: run again with --only CLAIM-02 --report DIR"
    assert max(map(len, lines)) == 200


def test_one_cause_is_reported_once() -> None:
    """Clauses that cannot be judged for the same reason are reported together."""
    why = "NotImplementedError(), raised at backend.py:7 in claim"
    results = [Result(id, Status.ERROR, why) for id in ("CLAIM-01", "RACE-01")]
    lines = described(_report(*results, Result("TIME-01", Status.ERROR, "boom"))).splitlines()

    assert lines[0] == "CLAIM-01, RACE-01:"
    assert lines[1] == f"  could not be judged: {why}"
    assert lines[3] == "TIME-01: A job is due at its run_at and later."


def test_the_files_of_a_violation_are_named(tmp_path: Path) -> None:
    """With a report folder, each violation names the command that replays its trace."""
    report = conform(Target.from_class(StripsNul, "memory://"), only=["PAYLOAD-01", "PAYLOAD-02"], everything=True)
    reports.write(report, tmp_path)

    replay = f"  to reproduce: tallystick conform replay {tmp_path / 'trace-PAYLOAD-01.json'} URL"
    assert replay in described(report, tmp_path).splitlines()
    assert described(report, tmp_path).count("conform replay") == len(report.violations)


def test_notices_are_printed() -> None:
    """The notice of a passed clause is printed before the verdict."""
    lines = described(_report(Result("CAP-05", Status.PASSED, notice="durable could be declared"))).splitlines()

    assert lines[0] == "notice: CAP-05: durable could be declared"


def test_untested_clauses_are_summarized() -> None:
    """Clauses with the same reason share a line, and clauses that were not judged are counted."""
    results = [Result(f"CRASH-0{n}", Status.NOT_DECLARED, "not durable") for n in range(1, 6)]
    results += [Result(f"CLAIM-0{n}", Status.NOT_JUDGED, "not judged: CLAIM-01 failed first") for n in (2, 3)]
    lines = described(_report(*results)).splitlines()

    assert lines[0] == "CRASH-01..05  not declared  not durable"
    assert lines[1].startswith("2 clauses     not judged    another clause of the family failed first")


@pytest.mark.usefixtures("few_programs")
def test_a_missing_method_is_not_a_violation() -> None:
    """The clauses that a missing method blocks are reported together, without a violation."""

    class Half(MemoryBackend):
        def rescue(self, *, limit: int, now: object = None) -> NoReturn:
            raise NotImplementedError

        def wait(self, queues: object, *, timeout: object) -> NoReturn:
            raise NotImplementedError

    asked = ["RESCUE", "CALL-01", "RACE-04", "HISTORY-01", "WAIT", "CLOSE", "LEAK-03", "REFUSE"]
    report = conform(Target.from_class(Half, "memory://half"), only=asked)
    output = described(report)

    assert report.violations == []
    assert {result.clause_id for result in report.failures} >= {"RESCUE-02", "RESCUE-05", "RACE-04"}
    assert "because a method is not implemented yet: NotImplementedError was raised at test_account.py:" in output
    assert "is broken" not in output
