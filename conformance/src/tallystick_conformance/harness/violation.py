"""The exception that reports a broken clause."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..contract.clauses import CLAUSES
from ..subject.exceptions import described
from ..subject.rendering import differences
from ..subject.tracing import labelled

if TYPE_CHECKING:
    from ..history.finding import Finding
    from ..history.operation import Operation


class Violation(AssertionError):
    """A backend broke a clause of the contract."""

    def __init__(self, clause_id: str, expected: object, observed: object, steps: Sequence[str] = ()) -> None:
        """Create the violation of one clause.

        Args:
            clause_id: The broken clause.
            expected: The expected value. A string is shown as a phrase, anything else as a value.
            observed: The observed value.
            steps: The program that shows it, one call per line.
        """
        self.clause_id = clause_id
        self.expected, self.observed = differences(expected, observed)
        self.steps = labelled(steps)
        super().__init__(clause_id, self.expected, self.observed, self.steps)  # values of any type may not be picklable
        self.history: Sequence[Operation] = ()
        """The operations of concurrent clients that showed it, if any; `findings` has the rules that they break."""
        self.findings: Sequence[Finding] = ()
        self.raised = ""
        """If a call raised an unexpected exception: the exception with its causes and origin."""

    def __str__(self) -> str:
        program = "".join(f"\n    {step}" for step in self.steps)
        return (
            f"{self.clause_id} is broken: {CLAUSES[self.clause_id].text}\n"
            f"  expected: {self.expected}\n"
            f"  observed: {self.observed}" + self._raised() + (f"\n  after:{program}" if program else "")
        )

    def _raised(self) -> str:
        return "".join(
            f"\n  {'raised:  ' if n == 0 else ' ' * 9} {line}" for n, line in enumerate(self.raised.splitlines())
        )

    def attach(self, exc: BaseException | None, sources: tuple[str, ...]) -> None:
        """Attach the exception that caused it; `sources` are path prefixes of the backend's files."""
        if exc is not None and not isinstance(exc, Violation) and not self.raised:
            self.raised = described(exc, sources)
