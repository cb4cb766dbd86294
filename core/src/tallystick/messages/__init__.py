"""Texts of errors and logs: safe whatever a user's objects do, without secrets, and with advice."""
