"""Windlass jobs in PostgreSQL, for production."""

from .backend import PostgresBackend

__all__ = ["PostgresBackend"]
