"""The machinery behind `Runner.start`: threads that claim, work, settle, keep leases and maintain."""

from .snapshot import Snapshot
from .worker import Worker
from .worker_context import WorkerContext

__all__ = ["Snapshot", "Worker", "WorkerContext"]
