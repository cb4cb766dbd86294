"""Report lost claims, each once, even if several threads notice."""

from collections.abc import Sequence
from threading import Lock

from ..jobs.context import Stop, log_fields
from ..messages.safe_logging import safe_logger
from .attempt import Attempt
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")


class Losses:
    """Counts, logs and reports lost attempts. Attempts that are not lost never take its lock."""

    def __init__(self, context: WorkerContext) -> None:
        self.count = 0
        self._context = context
        self._lock = Lock()

    def report(self, attempts: Sequence[Attempt]) -> None:
        """Report the attempts that were not reported before."""
        with self._lock:
            new = [attempt for attempt in attempts if not attempt.lost]
            for attempt in new:
                attempt.lost = True
            self.count += len(new)
        for attempt in new:
            logger.warning(
                "job %s: %s; its outcome is ignored", attempt.id, Stop.LOST, extra=log_fields(attempt.record)
            )
        if new:
            self._context.observers.lost([attempt.claim for attempt in new])
