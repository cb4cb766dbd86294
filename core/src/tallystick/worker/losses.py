"""Attempts whose claims were lost, each reported once, whichever thread learns it first."""

from collections.abc import Sequence
from threading import Lock

from ..context import Stop, log_fields
from ..safe_logging import safe_logger
from .run import Run
from .workplace import Workplace

logger = safe_logger("tallystick.worker")


class Losses:
    """Count, log and report lost attempts. Only attempts that are lost take its lock."""

    def __init__(self, place: Workplace) -> None:
        self.count = 0
        self._place = place
        self._lock = Lock()

    def report(self, runs: Sequence[Run]) -> None:
        """Report those that were not reported before."""
        with self._lock:
            new = [run for run in runs if not run.lost]
            for run in new:
                run.lost = True
            self.count += len(new)
        for run in new:
            logger.warning("job %s: %s; its outcome will not count", run.id, Stop.LOST, extra=log_fields(run.record))
        if new:
            self._place.observers.lost([run.claim for run in new])
