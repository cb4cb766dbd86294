"""A violated rule of the history checker, and the clause of each rule."""

from typing import NamedTuple

from .operation import Operation

Rule = str
"""`R1` to `R14`."""

CLAUSE_OF = {f"R{n}": f"HISTORY-{n:02}" for n in range(1, 15)}
"""The id of the clause of each rule."""


class Finding(NamedTuple):
    """A rule that a history breaks.

    Args:
        rule: `R1` to `R14`.
        clause: The id of the rule's clause.
        text: One sentence that describes the error.
        operations: The operations that contradict each other.
    """

    rule: Rule
    clause: str
    text: str
    operations: tuple[Operation, ...]

    @classmethod
    def of(cls, rule: Rule, text: str, *operations: Operation) -> "Finding":
        """Create a finding with the rule's clause."""
        return cls(rule, CLAUSE_OF[rule], text, operations)
