"""What the kit raises when a backend breaks the contract."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .clauses import CLAUSES
from .rendering import differences

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
        self.steps = tuple(steps)
        self.history: Sequence[Operation] = ()
        """Where concurrent clients showed it: their operations, and in `findings` the rules that these break."""
        self.findings: Sequence[Finding] = ()

    def __str__(self) -> str:
        program = "".join(f"\n    {step}" for step in self.steps)
        return (
            f"{self.clause_id} is broken: {CLAUSES[self.clause_id].text}\n"
            f"  expected: {self.expected}\n"
            f"  observed: {self.observed}" + (f"\n  after:{program}" if program else "")
        )
