"""Recording outcomes in batches, and telling of them."""

import logging
from collections import Counter
from collections.abc import Mapping
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from uuid import UUID

from ..context import Stop, log_fields
from ..errors import BackendError, OutcomeUnknown
from ..outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..records import Failure, Record
from ..state import State
from .flight import Flight
from .run import Run
from .workplace import Workplace

logger = logging.getLogger("windlass.worker")

Ended = tuple[Run, Outcome]

Recorded = tuple[Outcome, bool]
"""The outcome that was settled, and whether it was applied."""

_LEADS_TO: dict[type[Outcome], set[State]] = {
    Complete: {State.COMPLETED},
    Retry: {State.RETRYING, State.CANCELLED},
    Discard: {State.DISCARDED},
    Release: {State.PENDING, State.CANCELLED},
    Cancel: {State.CANCELLED},
}

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

    def finish(self, run: Run, outcome: Outcome) -> bool:
        """End an attempt, unless it has ended."""
        if not self._flight.end(run):
            return False
        self._queue.put((run, outcome))
        return True

    def stop(self) -> None:
        """Settle what was handed in so far, with a last try if the store is unavailable, and end."""
        self._give_up.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        last = False
        with self._place.current():
            while not last:
                batch, last = self._next_batch()
                if batch:
                    self._settle(batch)

    def _next_batch(self) -> tuple[list[Ended], bool]:
        items = [self._queue.get()]
        for _ in range(min(self._queue.qsize(), self._place.batch - 1)):
            items.append(self._queue.get())
        return [item for item in items if item is not None], None in items

    def _settle(self, batch: list[Ended]) -> None:
        runs = [run for run, _ in batch]
        try:
            recorded = self._record([outcome for _, outcome in batch])
            self._tell(runs, recorded)
        except Exception:
            logger.exception("could not settle %d outcomes; their leases will run out", len(batch))
        finally:
            self._flight.settled(runs)

    def _record(self, outcomes: list[Outcome]) -> list[Recorded]:
        """Settle, again and again while the store fails; what it refuses for another reason, one by one."""
        pause, unknown = _FIRST_PAUSE, False
        while True:
            try:
                applied = self._place.backend.settle(outcomes)
            except BackendError as exc:
                if self._give_up.is_set():
                    raise
                unknown = unknown or isinstance(exc, OutcomeUnknown)
                logger.warning("settling %d outcomes: %r; next try in %.2f s", len(outcomes), exc, pause)
                self._give_up.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as exc:
                if len(outcomes) > 1:
                    return [recorded for outcome in outcomes for recorded in self._record([outcome])]
                return [self._record_refused(outcomes[0], exc)]
            else:
                recorded = list(zip(outcomes, applied, strict=True))
                return self._looked_up(recorded) if unknown else recorded

    def _record_refused(self, outcome: Outcome, exc: Exception) -> Recorded:
        """Discard a job whose outcome the store refuses."""
        if isinstance(outcome, Discard):
            logger.error("the store refused to discard job %s; its lease will run out", outcome.claim.id, exc_info=exc)
            return outcome, False
        return self._record([Discard(outcome.claim, Failure.of(exc))])[0]

    def _looked_up(self, recorded: list[Recorded]) -> list[Recorded]:
        """Find out which of the outcomes that were refused had been applied before, in a try whose answer was lost."""
        records = self._place.backend.get([outcome.claim.id for outcome, applied in recorded if not applied])
        return [(outcome, applied or _is_ended_by(records, outcome)) for outcome, applied in recorded]

    def _tell(self, runs: list[Run], recorded: list[Recorded]) -> None:
        done = [(run, outcome) for run, (outcome, applied) in zip(runs, recorded, strict=True) if applied]
        if len(done) < len(recorded):
            self._tell_lost([run for run, (_, applied) in zip(runs, recorded, strict=True) if not applied])
        outcomes = [outcome for _, outcome in done]
        self.counts.update(map(type, outcomes))
        self._place.observers.settled(outcomes, [run.record for run, _ in done])
        chatty = logger.isEnabledFor(logging.DEBUG)
        for run, outcome in done:
            if chatty or not isinstance(outcome, Complete):
                _log(run, outcome)

    def _tell_lost(self, stale: list[Run]) -> None:
        self.lost += len(stale)
        self._place.observers.lost([run.claim for run in stale])
        for run in stale:
            logger.warning("job %s: %s; its outcome was refused", run.id, Stop.LOST, extra=log_fields(run.record))


def _is_ended_by(records: Mapping[UUID, Record], outcome: Outcome) -> bool:
    record = records.get(outcome.claim.id)
    if record is None or record.attempt != outcome.claim.attempt or record.state not in _LEADS_TO[type(outcome)]:
        return False
    return not isinstance(outcome, Retry | Discard) or record.last_error == outcome.error


def _log(run: Run, outcome: Outcome) -> None:
    extra = log_fields(run.record)
    if run.started_at is not None:
        extra["duration"] = round(monotonic() - run.started_at, 6)
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
    logger.log(level, "job %s %s", run.id, text, extra=extra)
