"""Find attempts that ended with a retry or a release of a cancelled job, which the store turns into a cancellation."""

from ..contract.outcomes import Cancel, Release, Retry
from ..contract.state import State
from ..messages.safe_logging import safe_logger
from .execute import Ended
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")


def as_stored(context: WorkerContext, settled: list[Ended]) -> list[Ended]:
    """Return settled attempts with the outcomes that are stored. Reads the store only if an observer wants to know."""
    if not context.observers.watch_cancellations:
        return settled
    doubtful = [ended.attempt.id for ended in settled if isinstance(ended.outcome, Retry | Release)]
    if not doubtful:
        return settled
    try:
        records = context.backend.get(doubtful)
    except Exception:
        logger.warning("could not read which of %d jobs were cancelled", len(doubtful), exc_info=True)
        return settled
    cancelled = {
        record.claim for record in records.values() if record.state is State.CANCELLED and record.cancel_requested
    }
    return [
        ended._replace(outcome=Cancel(ended.attempt.claim)) if ended.attempt.claim in cancelled else ended
        for ended in settled
    ]
