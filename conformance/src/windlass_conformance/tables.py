"""Reports as plain text."""

from collections import Counter
from collections.abc import Iterable, Sequence

from .clauses import CLAUSES
from .mutant import Verdict
from .report import Report, Result, Status


def clauses() -> str:
    """List every clause."""
    return _columns((clause.id, clause.tier, clause.level, clause.text) for clause in CLAUSES.values())


def report(report: Report) -> str:
    """Write what failed, what was not tested, and the verdict."""
    failed = [f"{_failure(result)}\n" for result in report.failures]
    known = {result.clause_id for result in report.failures}
    untested = [
        (result.clause_id, result.status.value, result.detail)
        for result in report.results
        if result.status is not Status.PASSED and result.clause_id not in known
    ]
    counts = Counter(result.status.value for result in report.results)
    verdict = "conforms" if report.passed else "does not conform"
    summary = f"{report.target} {verdict}: {', '.join(f'{n} {status}' for status, n in counts.items())}"
    return "\n".join([*failed, _columns(untested), f"{summary} ({report.profile}, {report.seconds:.1f} s)"]).strip()


def _failure(result: Result) -> str:
    return result.detail if result.violation else f"{result.clause_id} is {result.status}: {result.detail}"


def kill_matrix(verdicts: Sequence[Verdict]) -> str:
    """Write which mutants were killed, by which clause."""
    rows = [(_fate(v), v.mutant.clause, v.mutant.source, v.mutant.name, v.mutant.bug) for v in verdicts]
    killed = sum(verdict.killed for verdict in verdicts)
    return f"{_columns(rows)}\n{killed} of {len(verdicts)} mutants killed by the clause that they break"


def verdict(verdict: Verdict) -> dict[str, object]:
    """Write one mutant's fate as data."""
    mutant = verdict.mutant
    return {
        "name": mutant.name,
        "clause": mutant.clause,
        "bug": mutant.bug,
        "source": mutant.source,
        "killed": verdict.killed,
        "seconds": round(verdict.seconds, 3),
        "detail": verdict.detail,
    }


def _fate(verdict: Verdict) -> str:
    return "killed" if verdict.killed else "SURVIVED"


def _columns(rows: Iterable[tuple[str, ...]]) -> str:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)
