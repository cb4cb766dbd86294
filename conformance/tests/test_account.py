"""What a person reads on the terminal after a run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from tallystick import Capabilities
from tallystick_conformance import CLAUSES, Report, Result, Status, Target, Violation, conform, reports
from tallystick_conformance.account import account
from tallystick_conformance.report import Subject
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory_inserts import StripsNul

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
    ("change", "said"),
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
            "acme://host conforms, but for 1 known failure",
        ),
    ],
)
def test_the_last_line_is_the_verdict(change: Callable[[Report], object], said: str) -> None:
    """It says that a backend conforms only when every clause was asked for, and none failed."""
    report = _report(*_passed())
    change(report)

    assert account(report).splitlines()[-1].startswith(said)


def test_the_slowest_clauses_are_named() -> None:
    """The five clauses that took longest come before the verdict, and none where all were quick."""
    slow = _report(*(Result(id, Status.PASSED, seconds=n) for n, id in enumerate(CLAUSES)))
    last = list(CLAUSES)[::-1]

    assert account(slow).splitlines()[-2].startswith(f"slowest: {last[0]} {len(last) - 1}.0 s, {last[1]} ")
    assert account(slow).splitlines()[-2].count(" s") == 5
    assert "slowest" not in account(_report(*_passed()))


def test_a_violation_is_short() -> None:
    """The sentence, what should have been and what was, and the program with its ends; long lines are cut."""
    steps = [f"backend.insert({n})" for n in range(30)]
    violation = Violation("CLAIM-02", "no job", "x" * 5_000, steps)
    lines = account(_report(Result("CLAIM-02", Status.VIOLATED, str(violation), violation=violation))).splitlines()

    assert lines[0] == "CLAIM-02 is broken: No job is claimed before its run_at."
    assert lines[3:5] == ["  after:", "    backend.insert(0)"]
    assert lines[14] == "    ... 10 other calls ..."
    assert lines[24] == "    backend.insert(29)"
    assert lines[25] == "  script, trace: run it again with --only CLAIM-02 --report DIR, or with --script"
    assert max(map(len, lines)) == 200


def test_one_cause_is_told_once() -> None:
    """Clauses that one missing method keeps from being judged are told together."""
    why = "NotImplementedError(), raised at backend.py:7 in claim"
    results = [Result(id, Status.ERROR, why) for id in ("CLAIM-01", "RACE-01")]
    lines = account(_report(*results, Result("TIME-01", Status.ERROR, "boom"))).splitlines()

    assert lines[0] == "CLAIM-01, RACE-01:"
    assert lines[1] == f"  could not be judged: {why}"
    assert lines[3] == "TIME-01: A job is due at its run_at and later."


def test_scripts_are_printed_or_written(tmp_path: Path) -> None:
    """Without a folder the first violation's script is printed whole; with one the files are named."""
    report = conform(Target.from_class(StripsNul, "memory://"), only=["PAYLOAD-01", "PAYLOAD-02"], everything=True)
    reports.write(report, tmp_path)

    assert account(report).count("def program(backend):") == 1
    assert account(report, scripts=True).count("def program(backend):") == len(report.violations)
    assert "def program" not in account(report, scripts=False)
    assert "def program" not in account(report, tmp_path)
    assert f"  script: {tmp_path / 'repro-PAYLOAD-01.py'}" in account(report, tmp_path)
    assert f"  trace: {tmp_path / 'trace-PAYLOAD-01.json'}" in account(report, tmp_path)


def test_notices_are_told() -> None:
    """What a clause that passed noticed is told before the verdict."""
    lines = account(_report(Result("CAP-05", Status.PASSED, notice="durable could be declared"))).splitlines()

    assert lines[0] == "notice: CAP-05: durable could be declared"


def test_what_was_not_tested_is_told_shortly() -> None:
    """Clauses with one reason share a line, and those that were not judged are counted."""
    results = [Result(f"CRASH-0{n}", Status.NOT_DECLARED, "not durable") for n in range(1, 6)]
    results += [Result(f"CLAIM-0{n}", Status.NOT_JUDGED, "not judged: CLAIM-01 failed first") for n in (2, 3)]
    lines = account(_report(*results)).splitlines()

    assert lines[0] == "CRASH-01..05  not declared  not durable"
    assert lines[1].startswith("2 clauses     not judged    another clause of their family failed first")


def test_a_method_that_is_not_written_yet_breaks_nothing() -> None:
    """What it keeps from being judged is told together, with the place; there is no violation, and no script."""

    class Half(MemoryBackend):
        def rescue(self, *, limit: int, now: object = None) -> NoReturn:
            raise NotImplementedError

        def wait(self, queues: object, *, timeout: object) -> NoReturn:
            raise NotImplementedError

    asked = ["RESCUE", "CALL-01", "RACE-04", "HISTORY-01", "WAIT", "CLOSE", "LEAK-03", "REFUSE"]
    report = conform(Target.from_class(Half, "memory://half"), only=asked)
    told = account(report)

    assert report.violations == []
    assert {result.clause_id for result in report.failures} >= {"RESCUE-02", "RESCUE-05", "RACE-04"}
    assert "since a method is not written yet: NotImplementedError was raised, at test_account.py:" in told
    assert "is broken" not in told
