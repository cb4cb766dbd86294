"""Clauses of the core that no mutant is named after, each with the reason."""

REASONS: dict[str, str] = {}
