"""The machinery behind `Runner.start`: threads that claim, work, settle, keep leases and maintain."""

from .snapshot import Snapshot
from .worker import Worker
from .workplace import Workplace

__all__ = ["Snapshot", "Worker", "Workplace"]
