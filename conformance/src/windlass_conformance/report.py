"""What a run found: one result for each clause."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from windlass import CONTRACT_VERSION, Capabilities

from .clauses import CLAUSES
from .violation import Violation


class Status(StrEnum):
    """How a clause came out."""

    PASSED = "passed"
    VIOLATED = "violated"
    ERROR = "error"
    """A call of an example raised what it should not, so the clause could not be judged."""
    NOT_REACHED = "not reached"
    """No program came to test it: programs ended early, at another violation."""
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


@dataclass(slots=True)
class Report:
    """The results of a run, in the order of the clauses."""

    target: str
    profile: str
    capabilities: Capabilities
    results: list[Result]
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether no clause failed, and every clause of the core that was asked for was judged, and passed."""
        return not self.failures

    @property
    def failures(self) -> list[Result]:
        """The results that keep a backend from conforming."""
        return [result for result in self.results if _failed(result)]

    @property
    def violations(self) -> list[Violation]:
        """What was violated."""
        return [result.violation for result in self.results if result.violation is not None]

    def to_json(self) -> str:
        """Write as JSON."""
        return json.dumps(
            {
                "contract": CONTRACT_VERSION,
                "target": self.target,
                "profile": self.profile,
                "passed": self.passed,
                "seconds": round(self.seconds, 3),
                "capabilities": {name: _plain(value) for name, value in asdict(self.capabilities).items()},
                "clauses": [_entry(result) for result in self.results],
            },
            indent=2,
        )


def _failed(result: Result) -> bool:
    if result.status in (Status.VIOLATED, Status.ERROR):
        return True
    unjudged = result.status in (Status.NOT_RUN, Status.NOT_REACHED)
    return unjudged and CLAUSES[result.clause_id].level == "core" and result.clause_id not in MAY_NOT_RUN


MAY_NOT_RUN = frozenset({"SETUP-06"})
"""Clauses about URLs, which a `make_backend` does not have."""


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else value.total_seconds()


def _entry(result: Result) -> dict[str, Any]:
    clause, violation = CLAUSES[result.clause_id], result.violation
    entry: dict[str, Any] = {
        "id": clause.id,
        "text": clause.text,
        "level": clause.level,
        "tier": clause.tier,
        "status": result.status,
        "seconds": round(result.seconds, 3),
    }
    if violation is not None:
        entry |= {"expected": violation.expected, "observed": violation.observed, "steps": list(violation.steps)}
    elif result.detail:
        entry["detail"] = result.detail
    return entry
