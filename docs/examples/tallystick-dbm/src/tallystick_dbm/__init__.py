"""Store Tallystick jobs in one append-only file, shared by the processes of one machine."""

from .backend import DbmBackend

__all__ = ["DbmBackend"]
