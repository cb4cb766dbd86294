"""Format clauses and kill matrices as plain text."""

from collections.abc import Iterable, Sequence

from .clauses import CLAUSES
from .matrix import counts, rate
from .mutant import Verdict


def clauses() -> str:
    """List every clause with its tier, level and sentence."""
    return columns((clause.id, clause.tier, clause.level, clause.text) for clause in CLAUSES.values())


def kill_matrix(verdicts: Sequence[Verdict], profile: str) -> str:
    """List the fate of each mutant and the clause that killed it, with totals."""
    counted = counts(verdicts)
    others = "".join(f", {count} {fate}" for fate, count in counted.items() if count and fate != "killed")
    share = f"{counted['killed']} of {len(verdicts)} mutants killed: {rate(verdicts):.1%} ({profile}){others}"
    return "\n".join([columns(map(_row, verdicts)), share])


def fate(verdict: Verdict) -> str:
    """Describe the fate of a mutant, in capitals unless it was killed."""
    word = verdict.fate if verdict.killed else verdict.fate.upper()
    return f"{word} by {', '.join(verdict.by)}" if verdict.by else word


def _row(verdict: Verdict) -> tuple[str, ...]:
    mutant = verdict.mutant
    word, _, by = fate(verdict).partition(" ")
    return word, mutant.clause or "any", by or verdict.detail.partition("\n")[0], mutant.backend, mutant.name


def columns(rows: Iterable[tuple[str, ...]]) -> str:
    """Align rows in columns, each as wide as its widest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)
