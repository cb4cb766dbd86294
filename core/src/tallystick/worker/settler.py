"""Record outcomes in batches, and report them."""

import logging
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import assert_never

from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..jobs.context import log_fields
from ..messages.safe_logging import exc_info, safe_logger
from .as_stored import as_stored
from .execute import Ended
from .in_flight import InFlight
from .losses import Losses
from .meters import Meters
from .service import STOP_SECONDS
from .settle_retry import Recorded, SettleRetry, split_by_transaction
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")


class Settler:
    """A thread that records the outcomes of ended attempts."""

    def __init__(self, context: WorkerContext, in_flight: InFlight, losses: Losses, meters: Meters) -> None:
        self.counts: Counter[type[Outcome]] = Counter()
        self.unrecorded = 0
        self._losses = losses
        self._meters = meters
        self._context = context
        self._in_flight = in_flight
        self._queue: SimpleQueue[Ended | None] = SimpleQueue()
        self._give_up = Event()
        self._settle_retry = SettleRetry(context.backend, self._give_up)
        self._thread = Thread(target=self._run, name="tallystick-settler", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def finish(self, ended: Ended) -> bool:
        """End an attempt with its outcome; False if it had ended before. Its exception is kept until it is reported."""
        if not self._in_flight.end(ended.attempt):
            return False
        self._queue.put(ended)
        return True

    def give_up(self) -> None:
        """Make the next try the last one, if the store is unavailable."""
        self._give_up.set()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Settle the queued outcomes, with one last try if the store is unavailable, then stop."""
        self.give_up()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        with self._context.current():
            while self._settle_next():
                pass

    def _settle_next(self) -> bool:
        """Settle the next batch. Its exceptions, and the frames that they keep, are freed when this returns."""
        batch, last = self._next_batch()
        together, alone = split_by_transaction(batch)
        if together:
            self._settle_by(self._settle_retry.record, together)
        for ended in alone:
            self._settle_by(self._settle_retry.record_own, [ended])
        return not last

    def _next_batch(self) -> tuple[list[Ended], bool]:
        items = [self._queue.get()]
        for _ in range(min(self._queue.qsize(), self._context.batch - 1)):
            items.append(self._queue.get())
        return [item for item in items if item is not None], None in items

    def _settle_by(self, record: Callable[[list[Ended]], list[Recorded]], batch: list[Ended]) -> None:
        try:
            recorded = record(batch)
        except BaseException:
            self.unrecorded += len(batch)
            logger.exception("could not settle %d outcomes; their leases will expire", len(batch))
        else:
            self._report(batch, recorded)
        finally:
            self._in_flight.settled([ended.attempt for ended in batch])

    def _report(self, batch: list[Ended], recorded: list[Recorded]) -> None:
        try:
            if lost := [ended.attempt for ended, one in zip(batch, recorded, strict=True) if one is None]:
                self._losses.report(lost)
            self._report_settled(as_stored(self._context, [one for one in recorded if one is not None]))
        except BaseException:
            logger.exception("reporting %d outcomes raised an exception; the outcomes are recorded", len(recorded))

    def _report_settled(self, settled: list[Ended]) -> None:
        self.counts.update(type(ended.outcome) for ended in settled)
        self._meters.add(settled)
        self._context.observers.settled(
            [ended.outcome for ended in settled],
            [ended.attempt.record for ended in settled],
            [ended.exception for ended in settled],
        )
        log_completions = logger.isEnabledFor(logging.DEBUG)
        for ended in settled:
            if log_completions or not isinstance(ended.outcome, Complete):
                _log(ended)


def _log(ended: Ended) -> None:
    """Log how an attempt ended. Keep the templates constant: error trackers group records by them."""
    attempt, outcome, exception = ended
    extra = log_fields(attempt.record)
    if attempt.started_at is not None:
        extra["duration"] = round(monotonic() - attempt.started_at, 6)
    match outcome:
        case Retry(error=error):
            extra["error_type"] = error.type
            failed = "job %s failed and is retried: %s: %s"
            logger.warning(failed, attempt.id, error.type, error.message, extra=extra, exc_info=exc_info(exception))
        case Discard(error=error):
            extra["error_type"] = error.type
            discarded = "job %s discarded: %s: %s"
            logger.error(discarded, attempt.id, error.type, error.message, extra=extra, exc_info=exc_info(exception))
        case Release():
            logger.info("job %s released", attempt.id, extra=extra)
        case Complete():
            logger.debug("job %s completed", attempt.id, extra=extra)
        case Cancel():
            logger.info("job %s cancelled", attempt.id, extra=extra)
        case _:
            assert_never(outcome)
