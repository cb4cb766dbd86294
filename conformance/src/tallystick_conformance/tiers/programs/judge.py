"""Judge the results of a backend under the armed clauses."""

from collections import Counter
from collections.abc import Callable, Collection
from time import monotonic

from ...harness.pace import Pace
from ...harness.violation import Violation
from .coverage import Ways


class Unarmed(Exception):
    """A result is wrong under a clause that is not armed, so the rest of the program cannot be judged."""


class Judge:
    """Compares observed with expected values, for the armed clauses only.

    `steps` is the program so far. `counts` has the number of checks of each clause, and `ways` the covered transitions.
    `paces` has the number of programs that there was time for, for each start of the clock. `unarmed` has the unarmed
    clauses that were broken, in order of discovery. `on_program` is called before each program.
    """

    def __init__(self, armed: Collection[str], on_program: Callable[[], None] = lambda: None) -> None:
        self.armed = armed
        self.on_program = on_program
        self.counts: Counter[str] = Counter()
        self.steps: list[str] = []
        self.ways = Ways()
        self.shortest: Violation | None = None
        """The violation with the shortest program so far; `since` is when the first was found."""
        self.since = 0.0
        self.paces: list[Pace] = []
        self.unarmed: dict[str, None] = {}

    def that(self, clause_id: str, ok: bool, expected: object, observed: object) -> None:
        """Assert that a condition holds."""
        self.counts[clause_id] += 1
        if ok:
            return
        if clause_id not in self.armed:
            self.unarmed[clause_id] = None
            raise Unarmed(clause_id)
        raise self._noted(Violation(clause_id, expected, observed, self.steps))

    def _noted(self, violation: Violation) -> Violation:
        if self.shortest is None:
            self.since = monotonic()
        if self.shortest is None or len(violation.steps) <= len(self.shortest.steps):
            self.shortest = violation
        return violation

    def seconds_of_shrinking(self) -> float:
        """Return how long shrinking has taken so far."""
        return 0.0 if self.shortest is None else monotonic() - self.since

    def equal(self, clause_id: str, expected: object, observed: object) -> None:
        """Assert that two values are equal."""
        self.that(clause_id, expected == observed, expected, observed)
