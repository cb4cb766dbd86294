"""Who decides whether an answer of a backend is right, and under which clause it is wrong."""

from collections import Counter
from collections.abc import Callable, Collection
from time import monotonic

from ..pace import Pace
from ..violation import Violation
from .coverage import Ways


class Unarmed(Exception):
    """An answer is wrong under a clause that is not looked at now; nothing after it can be judged."""


class Judge:
    """Compares what is with what should be, for the armed clauses only.

    `steps` is the program so far; `counts` is how often each clause was looked at, and `ways` which transitions were.
    `paces` is how many programs there was time for, one for each start. `unarmed` has the clauses that were broken
    without being armed, in the order in which they were met. `on_program` is called before
    each program.
    """

    def __init__(self, armed: Collection[str], on_program: Callable[[], None] = lambda: None) -> None:
        self.armed = armed
        self.on_program = on_program
        self.counts: Counter[str] = Counter()
        self.steps: list[str] = []
        self.ways = Ways()
        self.shortest: Violation | None = None
        """The violation with the shortest program so far, and `since`, when the first was found."""
        self.since = 0.0
        self.paces: list[Pace] = []
        self.unarmed: dict[str, None] = {}

    def that(self, clause_id: str, ok: bool, expected: object, observed: object) -> None:
        """Require that a condition holds."""
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
        """Return for how long a program that failed is being made shorter."""
        return 0.0 if self.shortest is None else monotonic() - self.since

    def equal(self, clause_id: str, expected: object, observed: object) -> None:
        """Require that two values are equal."""
        self.that(clause_id, expected == observed, expected, observed)
