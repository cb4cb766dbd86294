"""Tallystick jobs in one SQLite file, shared by the processes of one machine."""

from .backend import SqliteBackend

__all__ = ["SqliteBackend"]
