"""Runs of the kit: choose the clauses, run them in order, and replay old traces first."""
