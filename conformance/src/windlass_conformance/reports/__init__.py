"""What a run leaves in a folder: for programs, for CI, for people, and to show each violation again."""

from pathlib import Path

from ..clauses import CLAUSES
from ..history.timeline import write_timeline
from ..redaction import Redaction
from ..report import Report, Result
from . import badge, document, junit, summary

__all__ = ["write"]


def write(report: Report, folder: Path) -> None:
    """Write every file; those about violations of an earlier run are removed first."""
    folder.mkdir(parents=True, exist_ok=True)
    for id in CLAUSES:
        for path in (_script(folder, id), _trace(folder, id), _timeline(folder, id)):
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
        _put(_script(folder, result.clause_id), result.repro.script)
        _put(_trace(folder, result.clause_id), result.repro.trace.to_json())
    if result.violation is not None and result.violation.history:
        path = _timeline(folder, result.clause_id)
        write_timeline(result.violation.history, result.violation.findings, path)
        _put(path, redaction.text(path.read_text(encoding="utf-8")))


def _script(folder: Path, id: str) -> Path:
    return folder / f"repro-{id}.py"


def _trace(folder: Path, id: str) -> Path:
    return folder / f"trace-{id}.json"


def _timeline(folder: Path, id: str) -> Path:
    return folder / f"timeline-{id}.html"


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
