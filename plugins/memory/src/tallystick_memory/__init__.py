"""Store Tallystick jobs in this process's memory, for tests and for work that may be lost when the process ends."""

from .backend import MemoryBackend

__all__ = ["MemoryBackend"]
