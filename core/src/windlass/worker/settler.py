"""Recording outcomes in batches, and telling of them."""

import logging
from collections import Counter
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic

from ..context import Context, Stop, log_fields
from ..errors import BackendError
from ..outcomes import Complete, Discard, Outcome, Release, Retry
from ..records import Failure
from .flight import Flight
from .workplace import Workplace

logger = logging.getLogger("windlass.worker")

Ended = tuple[Context, Outcome]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Settler:
    """One thread that settles what has ended. While the store is unavailable it tries again: a repeat is harmless."""

    def __init__(self, place: Workplace, flight: Flight) -> None:
        self.counts: Counter[type[Outcome]] = Counter()
        self.lost = 0
        self._place = place
        self._flight = flight
        self._queue: SimpleQueue[Ended | None] = SimpleQueue()
        self._give_up = Event()
        self._thread = Thread(target=self._run, name="windlass-settler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, ctx: Context, outcome: Outcome) -> bool:
        """End an attempt, unless it has ended."""
        if not self._flight.end(ctx):
            return False
        self._queue.put((ctx, outcome))
        return True

    def stop(self, timeout: float) -> None:
        """Settle what has ended so far, trying for `timeout` seconds if the store is unavailable."""
        self._queue.put(None)
        self._thread.join(timeout)
        self._give_up.set()
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            if batch:
                self._settle(batch)

    def _next_batch(self) -> tuple[list[Ended], bool]:
        items = [self._queue.get()]
        for _ in range(min(self._queue.qsize(), self._place.settings.batch - 1)):
            items.append(self._queue.get())
        return [item for item in items if item is not None], None in items

    def _settle(self, batch: list[Ended]) -> None:
        contexts = [ctx for ctx, _ in batch]
        try:
            applied = self._record([outcome for _, outcome in batch])
            self._tell(batch, applied)
        except Exception:
            logger.exception("could not settle %d outcomes; their leases will run out", len(batch))
        finally:
            self._flight.settled(contexts)

    def _record(self, outcomes: list[Outcome]) -> list[bool]:
        """Settle, again and again while the store fails; what it refuses for another reason, one by one."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return list(self._place.backend.settle(outcomes))
            except BackendError as exc:
                if self._give_up.is_set():
                    raise
                logger.warning("settling %d outcomes: %r; next try in %.2f s", len(outcomes), exc, pause)
                self._give_up.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as exc:
                if len(outcomes) > 1:
                    return [answer for outcome in outcomes for answer in self._record([outcome])]
                if isinstance(outcomes[0], Discard):
                    raise
                outcomes = [Discard(outcomes[0].claim, Failure.of(exc))]

    def _tell(self, batch: list[Ended], applied: list[bool]) -> None:
        if False in applied:
            stale = [ctx for (ctx, _), done in zip(batch, applied, strict=True) if not done]
            batch = [ended for ended, done in zip(batch, applied, strict=True) if done]
            self._tell_lost(stale)
        outcomes = [outcome for _, outcome in batch]
        self.counts.update(map(type, outcomes))
        self._place.observers.settled(outcomes, [ctx.record for ctx, _ in batch])
        chatty = logger.isEnabledFor(logging.DEBUG)
        for ctx, outcome in batch:
            if chatty or not isinstance(outcome, Complete):
                _log(ctx, outcome)

    def _tell_lost(self, stale: list[Context]) -> None:
        self.lost += len(stale)
        self._place.observers.lost([ctx.claim for ctx in stale])
        for ctx in stale:
            logger.warning("job %s: %s; its outcome was refused", ctx.id, Stop.LOST, extra=log_fields(ctx.record))


def _log(ctx: Context, outcome: Outcome) -> None:
    extra = log_fields(ctx.record)
    if ctx.started_at is not None:
        extra["duration"] = round(monotonic() - ctx.started_at, 6)
    match outcome:
        case Retry(error=error):
            level, text = logging.WARNING, f"failed and is retried: {error.type}: {error.message}"
        case Discard(error=error):
            level, text = logging.ERROR, f"discarded: {error.type}: {error.message}"
        case Release():
            level, text = logging.INFO, "released"
        case Complete():
            level, text = logging.DEBUG, "completed"
        case _:
            level, text = logging.INFO, "cancelled"
    logger.log(level, "job %s %s", ctx.id, text, extra=extra)
