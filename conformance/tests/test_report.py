"""Reports: their files, form and redaction, and when they prove a backend."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tallystick import TRANSITIONS, Capabilities
from tallystick_conformance import CLAUSES, Report, Result, Status, Target, Violation, conform, reports
from tallystick_conformance.contract.ways import WAYS
from tallystick_conformance.harness.shares import Share
from tallystick_conformance.reports import document
from tallystick_conformance.reports.verify import verified
from tallystick_conformance.subject.first_look import Subject
from tallystick_conformance.subject.redaction import Redaction
from tallystick_memory import MemoryBackend

SECRET = "s3cret-pass"
URL = f"acme://me:{SECRET}@host/db?token=abcdef"
CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(milliseconds=1),
    max_payload_bytes=1_000,
    max_batch=100,
)


def _report(**changed: Result) -> Report:
    results = [changed.get(id.replace("-", "_"), Result(id, Status.PASSED, seconds=0.1)) for id in CLAUSES]
    subject = Subject("acme://***@host/db?***", CAPABILITIES, "tallystick-acme", "1.2", "9.4", URL)
    return Report(subject, "quick", 0, results, datetime(2031, 5, 17, tzinfo=UTC), 1.5, budget_seconds=60)


def _violated(id: str) -> Result:
    steps = [f"backend.open({URL!r})", "backend.claim(...)"]
    violation = Violation(id, f"no {URL}", f"an error: password={SECRET} \x00 \ud800", steps)
    return Result(id, Status.VIOLATED, str(violation), 0.1, violation)


def test_a_run_writes_its_files(tmp_path: Path) -> None:
    """Each file is written and readable; the files of an earlier run's violations are removed."""
    (tmp_path / "trace-CLAIM-01.json").write_text("old")
    reports.write(_report(CLAIM_02=_violated("CLAIM-02")), tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "junit.xml", "summary.md", "badge.json"}
    assert json.loads((tmp_path / "badge.json").read_text())["message"] == "1 failed"
    assert "## CLAIM-02 is violated" in (tmp_path / "summary.md").read_text()


def test_violations_have_their_own_files(tmp_path: Path) -> None:
    """A violation has a trace next to the report."""

    class ForgetsPayloads(MemoryBackend):
        def insert(self, records: Any, **options: Any) -> Any:
            return super().insert([replace(record, payload=b"") for record in records], **options)

    reports.write(conform(Target.from_class(ForgetsPayloads, "memory://"), only=["PAYLOAD-01"]), tmp_path)

    assert json.loads((tmp_path / "trace-PAYLOAD-01.json").read_text())["clause"] == "PAYLOAD-01"


def test_too_little_work_proves_nothing(tmp_path: Path) -> None:
    """A report on too few of the planned schedules is incomplete: it has not passed, and `verify` rejects it."""
    few, most = Share("schedules", 2, 98), Share("schedules", 70, 100)
    shares = [(few,), (few, most), (most,)]
    found = [_report(SCHED_01=Result("SCHED-01", Status.PASSED, shares=share)) for share in shares]
    reasons = ["incomplete: 2 % of the schedules tried", "incomplete: 36 % of the schedules tried", ""]
    verdicts = [f"is not proven, {reasons[0]}", f"is not proven, {reasons[1]}", "conforms, 70 % of the schedules tried"]
    for report, reason, verdict in zip(found, reasons, verdicts, strict=True):
        reports.write(report, tmp_path)

        assert (report.verdict, report.passed) == (verdict, not reason)
        assert verified(tmp_path / "report.json") == [reason] * bool(reason)
        assert verdict in (tmp_path / "summary.md").read_text()


def test_the_document_has_its_published_form() -> None:
    """The JSON Schema in the package is up to date, and the document conforms to it."""
    data = json.loads(_report(CLAIM_02=_violated("CLAIM-02")).to_json())

    assert document.SCHEMA_FILE.read_text("utf-8") == document.schema(), (
        "report.schema.json is outdated: write document.schema() to it"
    )
    assert set(data) == set(json.loads(document.schema())["properties"])
    assert document.Document.model_validate(data).passed is False
    assert data["schema"] == 1
    assert data["backend"] == {"distribution": "tallystick-acme", "version": "1.2", "server_version": "9.4"}
    assert (data["started"], data["finished"]) == ("2031-05-17T00:00:00.000+00:00", "2031-05-17T00:00:01.500+00:00")


def test_of_a_plugin_the_distribution_is_told() -> None:
    """A plugin's backend has a distribution and a version in the report; a `make_backend` has neither."""
    by_url = conform("memory://", only=["CAP-01"]).document().backend
    by_hand = conform(lambda namespace: MemoryBackend(f"hand.{namespace}"), only=["CAP-01"]).document().backend

    assert by_url.distribution == "tallystick-memory"
    assert by_url.version is not None
    assert (by_hand.distribution, by_hand.version, by_hand.server_version) == (None, None, None)


def test_transitions_are_told() -> None:
    """The report lists each transition, and marks those that a generated program covered."""
    report = _report()
    report.ways = {WAYS[1]}
    data = json.loads(report.to_json())["transitions"]

    assert [way["covered"] for way in data] == [False, True, *[False] * (len(TRANSITIONS) - 2)]
    assert (data[1]["source"], data[1]["by"], data[1]["target"]) == ("pending", "insert replace", "pending")


def test_no_file_shows_a_secret(tmp_path: Path) -> None:
    """Passwords and queries of URLs are redacted in every file, including errors and steps."""
    reports.write(_report(CLAIM_02=_violated("CLAIM-02")), tmp_path)

    for path in tmp_path.iterdir():
        text = path.read_text("utf-8")
        assert SECRET not in text, path
        assert "abcdef" not in text, path
    assert "acme://***@host/db?***" in (tmp_path / "report.json").read_text()


def test_a_url_of_another_store_is_cut_down_too() -> None:
    """Other URLs in an error are redacted too."""
    text = Redaction("memory://").text("could not reach postgresql://u:p@h:5432/db?sslpassword=x twice")

    assert text == "could not reach postgresql://***@h:5432/db?*** twice"


def test_junit_has_a_case_for_each_clause(tmp_path: Path) -> None:
    """Violations are failures, untested clauses are skipped, and characters that XML forbids are replaced."""
    error = Result("CLAIM-03", Status.ERROR, "boom \x01")
    left = Result("CLAIM-04", Status.NOT_JUDGED, "not judged: CLAIM-02 failed first")
    reports.write(_report(CLAIM_02=_violated("CLAIM-02"), CLAIM_03=error, CLAIM_04=left), tmp_path)
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]

    assert len(suite) == len(CLAUSES)
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["1", "1", "1"]
    assert [case[0].tag for case in suite if len(case)] == ["failure", "error", "skipped"]


def _verified(
    report: Report, folder: Path, change: Callable[[dict[str, Any]], object] = lambda data: None
) -> list[str]:
    data = json.loads(report.to_json())
    change(data)
    (folder / "report.json").write_text(json.dumps(data))
    return verified(folder / "report.json")


def test_a_whole_report_verifies(tmp_path: Path) -> None:
    """A report with every clause passed verifies; clauses of undeclared capabilities may be untested."""
    assert _verified(_report(), tmp_path) == []
    left = Result("WAIT-05", Status.NOT_DECLARED)
    assert _verified(_report(WAIT_05=left), tmp_path, lambda data: data["capabilities"].update(notify=False)) == []
    assert _verified(_report(WAIT_05=left), tmp_path)[0].startswith("WAIT-05 (notify) is not declared")


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PASSED])
def test_a_core_clause_that_did_not_pass_does_not_verify(tmp_path: Path, status: Status) -> None:
    """For a clause that failed, was skipped, is known or was not reached, the reason names the clause."""
    (reason,) = _verified(_report(CLAIM_02=Result("CLAIM-02", status, "link")), tmp_path)

    assert reason.startswith("CLAIM-02 (core) is ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data.update(schema=2), "schema is 2"),
        (lambda data: data.update(contract=7), "contract is 7"),
        (lambda data: data["clauses"].pop(0), "CALL-01 (core) is missing"),
        (lambda data: data["clauses"].append(data["clauses"][0]), "CALL-01 occurs 2 times"),
        (lambda data: data["clauses"][0].update(id="NOPE-01"), "NOPE-01 is not a clause"),
        (lambda data: data["clauses"][0].update(status="fine"), "clauses.0.status: "),
        (lambda data: data.update(clauses={}), "clauses: "),
        (lambda data: data.update(interrupted=True), "interrupted"),
        (lambda data: data.update(partial=True), "clauses were selected"),
        (lambda data: data["capabilities"].clear(), "is missing"),
    ],
)
def test_a_doctored_report_does_not_verify(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """Wrong versions, missing, repeated or unknown clauses, and malformed documents are rejected with a reason."""
    assert any(reason in line for line in _verified(_report(), tmp_path, change))
