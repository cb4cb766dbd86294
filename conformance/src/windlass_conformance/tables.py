"""Reports as plain text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from .clauses import CLAUSES
from .mutant import Verdict
from .redaction import Redaction
from .report import Report, Result, Status


def clauses() -> str:
    """List every clause."""
    return _columns((clause.id, clause.tier, clause.level, clause.text) for clause in CLAUSES.values())


def report(report: Report, folder: Path | None = None) -> str:
    """Write what failed, what was not tested, and the verdict; scripts too, unless they were written to a folder."""
    redacted = Redaction(report.subject.url).text
    failed = [f"{redacted(_failure(result))}\n{_how_to_see(result, folder)}" for result in report.failures]
    told = {result.clause_id for result in report.failures}
    untested = [
        (result.clause_id, result.status.value, redacted(result.detail.partition("\n")[0]))
        for result in report.results
        if result.status is not Status.PASSED and result.clause_id not in told
    ]
    fixed = [f"fixed: {name} shows nothing any more" for name in report.fixed]
    counts = Counter(result.status.value for result in report.results)
    verdict = "conforms" if report.passed else "was interrupted" if report.interrupted else "does not conform"
    summary = f"{report.target} {verdict}: {', '.join(f'{n} {status}' for status, n in counts.items())}"
    table = _columns(untested) if untested else ""
    return "\n".join([*failed, table, *fixed, f"{summary} ({report.profile}, {report.seconds:.1f} s)"]).strip()


def _failure(result: Result) -> str:
    return result.detail if result.violation else f"{result.clause_id} is {result.status}: {result.detail}"


def _how_to_see(result: Result, folder: Path | None) -> str:
    if result.repro is None:
        return ""
    if folder is not None:
        return f"  script: {folder / f'repro-{result.clause_id}.py'}\n"
    return f"  script:\n\n{result.repro.script}\n"


def kill_matrix(verdicts: Sequence[Verdict], profile: str) -> str:
    """Write which mutants were killed, by which clause."""
    killed = sum(verdict.killed for verdict in verdicts)
    share = killed / max(1, len(verdicts))
    return f"{_columns(map(_fate, verdicts))}\n{killed} of {len(verdicts)} mutants killed: {share:.1%} ({profile})"


def _fate(verdict: Verdict) -> tuple[str, ...]:
    mutant = verdict.mutant
    fate = verdict.fate if verdict.killed else verdict.fate.upper()
    why = f"by {', '.join(verdict.by)}" if verdict.by else verdict.detail.partition("\n")[0]
    return fate, mutant.clause or "any", why, mutant.backend, mutant.name


def _columns(rows: Iterable[tuple[str, ...]]) -> str:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)
