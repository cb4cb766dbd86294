"""Report jobs that are lost when a store is closed or the process ends."""

import logging

from ..contract.backend import Backend
from ..contract.state import FINAL

logger = logging.getLogger("tallystick.worker")


def report_lost_jobs(backend: Backend) -> None:
    """Log how many unfinished jobs are lost if the store is not durable."""
    try:
        if backend.capabilities.durable:
            return
        unfinished = sum(count for state, count in backend.stats().by_state.items() if state not in FINAL)
    except Exception:
        logger.debug("could not count the unfinished jobs of %s", type(backend).__name__, exc_info=True)
        return
    if unfinished:
        logger.warning(
            "%d unfinished jobs are lost with %s, which is not durable; "
            "use a durable store, e.g. sqlite:///jobs.db, or wait for their results before the process ends",
            unfinished,
            type(backend).__name__,
        )
