"""The report of a run: one result for each clause."""

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
    notice: str = ""
    """Something that is not wrong but useful for the backend's author."""
    repro: Repro | None = field(default=None, compare=False)
    shares: tuple[Share, ...] = ()
    """How much of the planned work was run for it."""

    @property
    def raised(self) -> str:
        """The exception behind it with its causes and origin; empty if there is none."""
        if self.violation is not None:
            return self.violation.raised
        return "" if self.error is None else whole(self.error)


@dataclass(frozen=True, slots=True)
class Subject:
    """The tested backend. `distribution` and `version` are those of the plugin that provides it, if any."""

    target: str
    capabilities: Capabilities
    distribution: str | None = None
    version: str | None = None
    server_version: str | None = None
    url: str | None = field(default=None, repr=False)
    """The URL as passed in; reports must redact it."""


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
    """The transitions of the table of states that generated programs covered."""
    fixed: list[str] = field(default_factory=list)
    """The trace files that no longer show a violation."""

    @property
    def target(self) -> str:
        """The name of the tested backend: its URL without secrets."""
        return self.subject.target

    @property
    def is_partial(self) -> bool:
        """Whether the run was restricted to some of the clauses."""
        return len(self.results) < len(CLAUSES)

    @property
    def verdict(self) -> str:
        """The result of the run, as a predicate of its target: `conforms`."""
        if self.interrupted:
            return "was interrupted"
        if self.failures:
            return "does not conform"
        if self.is_partial and not self.incomplete:
            return f"was tested on {len(self.results)} of {len(CLAUSES)} clauses"
        if self.incomplete:
            return f"is not proven, {self.incomplete}"
        known = sum(result.status is Status.KNOWN for result in self.results)
        exceptions = f", except for {known} known {'failures' if known > 1 else 'failure'}" if known else ""
        shares = thinned(self._shares())
        return f"conforms{exceptions}{shares and f', {shares}'}"

    @property
    def incomplete(self) -> str:
        """The share of the planned work that was run, if it is too small to prove anything; else empty."""
        return incomplete(self._shares())

    def _shares(self) -> list[Share]:
        return [share for result in self.results for share in result.shares]

    @property
    def passed(self) -> bool:
        """Whether the run tested enough, and no clause failed except known failures."""
        return not self.failures and not self.interrupted and not self.incomplete

    @property
    def failures(self) -> list[Result]:
        """The results because of which the backend does not conform."""
        return [result for result in self.results if _failed(result)]

    @property
    def violations(self) -> list[Violation]:
        """The violations, in the order of the clauses."""
        return [result.violation for result in self.results if result.violation is not None]

    def to_json(self) -> str:
        """Return the report as JSON; `reports.document` defines its form."""
        from .reports import document  # noqa: PLC0415 - reports.document imports this module

        return document.to_json(self)


def _failed(result: Result) -> bool:
    if result.status in (Status.VIOLATED, Status.ERROR, Status.NOT_WRITTEN):
        return True
    unjudged = result.status in (Status.NOT_RUN, Status.NOT_REACHED)
    return unjudged and CLAUSES[result.clause_id].level == "core" and result.clause_id not in MAY_NOT_RUN


MAY_NOT_RUN = frozenset({"SETUP-06", "CAP-05", "CAP-06"})
"""Clauses about URLs and other processes, which a `make_backend` may not support."""
