"""Checks that every request must pass, and the headers of every response."""
