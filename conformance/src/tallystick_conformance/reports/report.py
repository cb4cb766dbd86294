"""The report of a run: one result for each clause."""

import platform
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from tallystick import CONTRACT_VERSION, Capabilities

from ..contract.clauses import CLAUSES
from ..contract.ways import WAYS, Way
from ..harness.profiles import ProfileName
from ..harness.shares import Share, incomplete, thinned
from ..harness.violation import Violation
from ..subject.first_look import Subject
from ..subject.redaction import Redaction
from .document import SCHEMA, BackendEntry, Document, TransitionEntry, dumped
from .result import Result, Status, entry


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

    def document(self) -> Document:
        """Return the report as a document, without secrets."""
        redaction, subject = Redaction(self.subject.url), self.subject
        return Document(
            schema=SCHEMA,
            kit=version("tallystick-conformance"),
            contract=CONTRACT_VERSION,
            target=redaction.text(subject.target),
            backend=BackendEntry(
                distribution=subject.distribution, version=subject.version, server_version=subject.server_version
            ),
            python=platform.python_version(),
            platform=platform.platform(),
            capabilities=_capabilities(subject.capabilities),
            profile=self.profile,
            seed=self.seed,
            started=_written(self.started),
            finished=_written(self.started + timedelta(seconds=self.seconds)),
            seconds=round(self.seconds, 3),
            budget_seconds=self.budget_seconds,
            interrupted=self.interrupted,
            partial=self.is_partial,
            passed=self.passed,
            verdict=self.verdict,
            clauses=[entry(result, redaction) for result in self.results],
            transitions=[TransitionEntry(**way._asdict(), covered=way in self.ways) for way in WAYS],
            known_failures=[result.clause_id for result in self.results if result.status is Status.KNOWN],
            fixed_traces=self.fixed,
        )

    def to_json(self) -> str:
        """Return the report as JSON; `reports.document` defines its form."""
        return dumped(self.document())


def _failed(result: Result) -> bool:
    if result.status in (Status.VIOLATED, Status.ERROR, Status.NOT_WRITTEN):
        return True
    unjudged = result.status in (Status.NOT_RUN, Status.NOT_REACHED)
    return unjudged and CLAUSES[result.clause_id].level == "core" and result.clause_id not in MAY_NOT_RUN


MAY_NOT_RUN = frozenset({"SETUP-06", "CAP-05", "CAP-06"})
"""Clauses about URLs and other processes, which a `make_backend` may not support."""


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _capabilities(capabilities: Capabilities) -> dict[str, Any]:
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in asdict(capabilities).items()
    }
