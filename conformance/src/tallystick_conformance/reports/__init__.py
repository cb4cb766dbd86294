"""Write the reports of a run to a folder: for programs, CI and people, with files to reproduce each violation."""

from pathlib import Path

from ..contract.clauses import CLAUSES
from ..subject.redaction import Redaction
from . import badge, document, junit, summary
from .report import Report
from .result import Result
from .timeline import write_timeline

__all__ = ["timeline_file", "trace_file", "write"]


def write(report: Report, folder: Path) -> None:
    """Write every report file; first remove the files about violations of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for id in CLAUSES:
        for path in (trace_file(folder, id), timeline_file(folder, id)):
            path.unlink(missing_ok=True)
    found = report.document()
    _put(folder / "report.json", document.dumped(found))
    _put(folder / "junit.xml", junit.written(found))
    _put(folder / "summary.md", summary.written(found))
    _put(folder / "badge.json", badge.written(found))
    for result in report.results:
        _write_violation(result, folder, Redaction(report.subject.url))


def _write_violation(result: Result, folder: Path, redaction: Redaction) -> None:
    if result.trace is not None:
        _put(trace_file(folder, result.clause_id), result.trace.to_json())
    if result.violation is not None and result.violation.history:
        path = timeline_file(folder, result.clause_id)
        write_timeline(result.violation.history, result.violation.findings, path)
        _put(path, redaction.text(path.read_text(encoding="utf-8")))


def trace_file(folder: Path, id: str) -> Path:
    """Return the path of a violation's trace."""
    return folder / f"trace-{id}.json"


def timeline_file(folder: Path, id: str) -> Path:
    """Return the path of a violation's timeline; only violations by concurrent clients have one."""
    return folder / f"timeline-{id}.html"


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
