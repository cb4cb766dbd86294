"""Tallystick jobs in PostgreSQL, for production."""

from .backend import PostgresBackend
from .statement import insert_statement

__all__ = ["PostgresBackend", "insert_statement"]
