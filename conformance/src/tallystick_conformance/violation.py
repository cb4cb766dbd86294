"""What the kit raises when a backend breaks the contract."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .clauses import CLAUSES
from .raised import whole
from .rendering import differences
from .tracing import labelled

if TYPE_CHECKING:
    from .history.finding import Finding
    from .history.operation import Operation


class Violation(AssertionError):
    """A backend did other than its contract says."""

    def __init__(self, clause_id: str, expected: object, observed: object, steps: Sequence[str] = ()) -> None:
        """Tell of a clause that was broken.

        Args:
            clause_id: The clause, which says what every backend promises.
            expected: What should have been here; a string is a phrase, anything else is shown as a value.
            observed: What was.
            steps: The program that shows it, a call in each line.
        """
        super().__init__(clause_id, expected, observed, steps)
        self.clause_id = clause_id
        self.expected, self.observed = differences(expected, observed)
        self.steps = labelled(steps)
        self.history: Sequence[Operation] = ()
        """Where concurrent clients showed it: their operations, and in `findings` the rules that these break."""
        self.findings: Sequence[Finding] = ()
        self.raised = ""
        """Where a call raised what it should not: the exception, whole, and where the backend raised it."""

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

    def tell_of(self, exc: BaseException | None, sources: tuple[str, ...]) -> None:
        """Keep the exception behind it; the files of the backend begin with `sources`."""
        if exc is not None and not isinstance(exc, Violation) and not self.raised:
            self.raised = whole(exc, sources)
