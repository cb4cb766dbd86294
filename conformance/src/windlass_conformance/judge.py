"""Who decides whether an answer of a backend is right, and under which clause it is wrong."""

from collections import Counter
from collections.abc import Collection

from .coverage import Ways
from .violation import Violation


class Unarmed(Exception):
    """An answer is wrong under a clause that is not looked at now; nothing after it can be judged."""


class Judge:
    """Compares what is with what should be, for the armed clauses only.

    `steps` is the program so far; `counts` is how often each clause was looked at, and `ways` which transitions were.
    """

    def __init__(self, armed: Collection[str]) -> None:
        self.armed = armed
        self.counts: Counter[str] = Counter()
        self.steps: list[str] = []
        self.ways = Ways()

    def that(self, clause_id: str, ok: bool, expected: object, observed: object) -> None:
        """Require that a condition holds."""
        self.counts[clause_id] += 1
        if ok:
            return
        if clause_id not in self.armed:
            raise Unarmed(clause_id)
        raise Violation(clause_id, expected, observed, self.steps)

    def equal(self, clause_id: str, expected: object, observed: object) -> None:
        """Require that two values are equal."""
        self.that(clause_id, expected == observed, expected, observed)
