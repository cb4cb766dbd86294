"""The worker behind `Runner.start`: threads that claim, run and settle jobs, extend leases, and maintain the store."""

from .snapshot import Snapshot
from .worker import Worker
from .worker_context import WorkerContext

__all__ = ["Snapshot", "Worker", "WorkerContext"]
