"""What a run found: one result for each clause."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tallystick import Capabilities

from .clauses import CLAUSES
from .profiles import ProfileName
from .programs.coverage import Way
from .raised import whole
from .repros.repro import Repro
from .shares import Share, incomplete, thinned
from .violation import Violation


class Status(StrEnum):
    """How a clause came out."""

    PASSED = "passed"
    VIOLATED = "violated"
    ERROR = "error"
    """A call of an example raised what it should not, so the clause could not be judged."""
    NOT_WRITTEN = "not written"
    """A method that it needs raises NotImplementedError, so the clause could not be judged."""
    NOT_REACHED = "not reached"
    """No program came to test it: programs ended early, at another violation."""
    NOT_JUDGED = "not judged"
    """Another clause of its family failed first, and that may be the cause."""
    KNOWN = "known"
    """It fails, and is listed as a known failure."""
    NOT_DECLARED = "not declared"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one clause. `detail` says what went wrong, or why it was not run."""

    clause_id: str
    status: Status
    detail: str = ""
    seconds: float = 0.0
    violation: Violation | None = field(default=None, compare=False)
    error: Exception | None = field(default=None, compare=False)
    notice: str = ""
    """What its author may want to know though nothing is wrong."""
    repro: Repro | None = field(default=None, compare=False)
    shares: tuple[Share, ...] = ()
    """How much of what the profile plans was run for it."""

    @property
    def raised(self) -> str:
        """The exception behind it, whole, and where it was raised; empty where there is none."""
        if self.violation is not None:
            return self.violation.raised
        return "" if self.error is None else whole(self.error)


@dataclass(frozen=True, slots=True)
class Subject:
    """What was tested: `distribution` and `version` are the plugin's, where a plugin offers the backend."""

    target: str
    capabilities: Capabilities
    distribution: str | None = None
    version: str | None = None
    server_version: str | None = None
    url: str | None = field(default=None, repr=False)
    """As it was given, to be redacted wherever it shows."""


@dataclass(slots=True)
class Report:
    """The results of a run, in the order of the clauses."""

    subject: Subject
    profile: ProfileName
    seed: int
    results: list[Result]
    started: datetime
    seconds: float = 0.0
    budget_seconds: float | None = None
    interrupted: bool = False
    ways: Collection[Way] = ()
    """The ways of the table of transitions that generated programs took."""
    fixed: list[str] = field(default_factory=list)
    """The files of traces that no longer show a violation."""

    @property
    def target(self) -> str:
        """What was tested, in words: the URL without its secrets."""
        return self.subject.target

    @property
    def is_partial(self) -> bool:
        """Whether only some of the clauses were asked for."""
        return len(self.results) < len(CLAUSES)

    @property
    def verdict(self) -> str:
        """What came of the run, as it is said of its target."""
        if self.interrupted:
            return "was interrupted"
        if self.failures:
            return "does not conform"
        if self.is_partial and not self.incomplete:
            return f"was tested on {len(self.results)} of {len(CLAUSES)} clauses"
        if self.incomplete:
            return f"is not proven, {self.incomplete}"
        known = sum(result.status is Status.KNOWN for result in self.results)
        but = f", but for {known} known {'failures' if known > 1 else 'failure'}" if known else ""
        less = thinned(self._shares())
        return f"conforms{but}{less and f', {less}'}"

    @property
    def incomplete(self) -> str:
        """Which share of the planned work was run, where that is too little to prove anything; else nothing."""
        return incomplete(self._shares())

    def _shares(self) -> list[Share]:
        return [share for result in self.results for share in result.shares]

    @property
    def passed(self) -> bool:
        """Whether every clause that was asked for was judged by enough work, and none failed but those known to."""
        return not self.failures and not self.interrupted and not self.incomplete

    @property
    def failures(self) -> list[Result]:
        """The results that keep a backend from conforming."""
        return [result for result in self.results if _failed(result)]

    @property
    def violations(self) -> list[Violation]:
        """What was violated."""
        return [result.violation for result in self.results if result.violation is not None]

    def to_json(self) -> str:
        """Write as JSON: see `reports.document`."""
        from .reports import document  # noqa: PLC0415 - it is written of reports

        return document.to_json(self)


def _failed(result: Result) -> bool:
    if result.status in (Status.VIOLATED, Status.ERROR, Status.NOT_WRITTEN):
        return True
    unjudged = result.status in (Status.NOT_RUN, Status.NOT_REACHED)
    return unjudged and CLAUSES[result.clause_id].level == "core" and result.clause_id not in MAY_NOT_RUN


MAY_NOT_RUN = frozenset({"SETUP-06", "CAP-05", "CAP-06"})
"""Clauses about URLs and other processes, which a `make_backend` may not have."""
