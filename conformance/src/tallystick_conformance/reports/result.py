"""The result of one clause."""

from dataclasses import dataclass, field
from enum import StrEnum

from ..contract.clauses import CLAUSES
from ..harness.shares import Share
from ..harness.trace import Trace
from ..harness.violation import Violation
from ..subject.redaction import Redaction
from .document import ClauseEntry, ShareEntry


class Status(StrEnum):
    """The outcome of one clause."""

    PASSED = "passed"
    VIOLATED = "violated"
    ERROR = "error"
    """An example raised an unexpected exception, so the clause could not be judged."""
    NOT_WRITTEN = "not written"
    """A method raised NotImplementedError, so the clause could not be judged."""
    NOT_REACHED = "not reached"
    """No generated program tested it, because they ended early at another violation."""
    NOT_JUDGED = "not judged"
    """Another clause of its family failed first, possibly for the same cause."""
    KNOWN = "known"
    """It failed, and is listed as a known failure."""
    NOT_DECLARED = "not declared"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one clause. `detail` describes the failure, or the reason why the clause was not run."""

    clause_id: str
    status: Status
    detail: str = ""
    seconds: float = 0.0
    violation: Violation | None = field(default=None, compare=False)
    error: Exception | None = field(default=None, compare=False)
    raised: str = field(default="", compare=False)
    """The exception behind it with its causes and origin; empty if there is none."""
    notice: str = ""
    """Something that is not wrong but useful for the backend's author."""
    trace: Trace | None = field(default=None, compare=False)
    shares: tuple[Share, ...] = ()
    """How much of the planned work was run for it."""


def entry(result: Result, redaction: Redaction) -> ClauseEntry:
    """Return the entry of a result in the document, without secrets."""
    clause, violation = CLAUSES[result.clause_id], result.violation
    return ClauseEntry(
        id=clause.id,
        text=clause.text,
        level=clause.level,
        tier=clause.tier,
        status=result.status.value,
        seconds=round(result.seconds, 3),
        detail=redaction.text(result.detail) or None,
        notice=redaction.text(result.notice) or None,
        raised=redaction.text(result.raised) or None,
        expected=redaction.text(violation.expected) if violation else None,
        observed=redaction.text(violation.observed) if violation else None,
        steps=[redaction.text(step) for step in violation.steps] if violation else None,
        shares=[ShareEntry(**share._asdict()) for share in result.shares] or None,
    )
