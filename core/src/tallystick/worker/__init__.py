"""The worker behind `Runner.start`: threads that claim, run and settle jobs, extend leases, and maintain the store."""

from .single_worker import SingleWorker
from .snapshot import Snapshot
from .worker_context import EXTEND_AFTER, WorkerContext

__all__ = ["EXTEND_AFTER", "SingleWorker", "Snapshot", "WorkerContext"]
