"""Write the reports of a run to a folder: for programs, CI and people, with files to reproduce each violation."""

from pathlib import Path

from ..clauses import CLAUSES
from ..history.timeline import write_timeline
from ..redaction import Redaction
from ..report import Report, Result
from . import badge, document, junit, summary

__all__ = ["script_file", "timeline_file", "trace_file", "write"]


def write(report: Report, folder: Path) -> None:
    """Write every report file; first remove the files about violations of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for id in CLAUSES:
        for path in (script_file(folder, id), trace_file(folder, id), timeline_file(folder, id)):
            path.unlink(missing_ok=True)
    found = document.of(report)
    _put(folder / "report.json", document.dumped(found))
    _put(folder / "junit.xml", junit.written(found))
    _put(folder / "summary.md", summary.written(found))
    _put(folder / "badge.json", badge.written(found))
    for result in report.results:
        _write_violation(result, folder, Redaction(report.subject.url))


def _write_violation(result: Result, folder: Path, redaction: Redaction) -> None:
    if result.repro is not None:
        _put(script_file(folder, result.clause_id), result.repro.script)
        _put(trace_file(folder, result.clause_id), result.repro.trace.to_json())
    if result.violation is not None and result.violation.history:
        path = timeline_file(folder, result.clause_id)
        write_timeline(result.violation.history, result.violation.findings, path)
        _put(path, redaction.text(path.read_text(encoding="utf-8")))


def script_file(folder: Path, id: str) -> Path:
    """Return the path of a violation's script."""
    return folder / f"repro-{id}.py"


def trace_file(folder: Path, id: str) -> Path:
    """Return the path of a violation's trace."""
    return folder / f"trace-{id}.json"


def timeline_file(folder: Path, id: str) -> Path:
    """Return the path of a violation's timeline; only violations by concurrent clients have one."""
    return folder / f"timeline-{id}.html"


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
