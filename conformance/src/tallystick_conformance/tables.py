"""Clauses and kill matrices as plain text."""

from collections.abc import Iterable, Sequence

from .clauses import CLAUSES
from .mutant import Verdict


def clauses() -> str:
    """List every clause."""
    return columns((clause.id, clause.tier, clause.level, clause.text) for clause in CLAUSES.values())


def kill_matrix(verdicts: Sequence[Verdict], profile: str) -> str:
    """Write which mutants were killed, by which clause."""
    killed = sum(verdict.killed for verdict in verdicts)
    share = killed / max(1, len(verdicts))
    return f"{columns(map(_fate, verdicts))}\n{killed} of {len(verdicts)} mutants killed: {share:.1%} ({profile})"


def _fate(verdict: Verdict) -> tuple[str, ...]:
    mutant = verdict.mutant
    fate = verdict.fate if verdict.killed else verdict.fate.upper()
    why = f"by {', '.join(verdict.by)}" if verdict.by else verdict.detail.partition("\n")[0]
    return fate, mutant.clause or "any", why, mutant.backend, mutant.name


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Write rows one below the other, each column as wide as its widest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)
