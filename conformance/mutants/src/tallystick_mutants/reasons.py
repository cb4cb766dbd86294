"""Clauses of the core that no mutant breaks, with the reason for each."""

REASONS: dict[str, str] = {}
