"""What breaks a rule, and which clause each rule is."""

from typing import NamedTuple

from .operation import Operation

Rule = str
"""`R1` to `R14`."""

CLAUSE_OF = {f"R{n}": f"HISTORY-{n:02}" for n in range(1, 15)}
"""The id of the clause that each rule is."""


class Finding(NamedTuple):
    """A rule that a history breaks.

    Args:
        rule: `R1` to `R14`.
        clause: The id of the rule's clause.
        text: What is wrong, in one sentence.
        operations: Those that cannot all be as they are.
    """

    rule: Rule
    clause: str
    text: str
    operations: tuple[Operation, ...]

    @classmethod
    def of(cls, rule: Rule, text: str, *operations: Operation) -> "Finding":
        """Make a finding; its clause is the rule's."""
        return cls(rule, CLAUSE_OF[rule], text, operations)
