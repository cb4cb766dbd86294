"""Format a kill matrix as plain text."""

from collections.abc import Sequence

from ..reports.columns import columns
from .matrix import counts, rate
from .mutant import Verdict


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
