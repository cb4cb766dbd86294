"""Recording outcomes in batches, and telling of them."""

import logging
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic

from ..context import log_fields
from ..outcomes import Complete, Discard, Outcome, Release, Retry
from .flight import Flight
from .losses import Losses
from .recorder import Ended, Recorded, Recorder, apart
from .run import Run
from .service import STOP_SECONDS
from .workplace import Workplace

logger = logging.getLogger("tallystick.worker")


class Settler:
    """One thread that settles what has ended."""

    def __init__(self, place: Workplace, flight: Flight, losses: Losses) -> None:
        self.counts: Counter[type[Outcome]] = Counter()
        self.unrecorded = 0
        self._losses = losses
        self._place = place
        self._flight = flight
        self._queue: SimpleQueue[Ended | None] = SimpleQueue()
        self._give_up = Event()
        self._recorder = Recorder(place.backend, self._give_up)
        self._thread = Thread(target=self._run, name="tallystick-settler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, run: Run, outcome: Outcome) -> bool:
        """End an attempt, unless it has ended."""
        if not self._flight.end(run):
            return False
        self._queue.put((run, outcome))
        return True

    def give_up(self) -> None:
        """Let the next try be the last one, if the store is unavailable."""
        self._give_up.set()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Settle what was handed in so far, with a last try if the store is unavailable, and end."""
        self.give_up()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(max(0.0, seconds))

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
        together, alone = apart(batch)
        if together:
            self._settle_by(self._recorder.record, together)
        for ended in alone:
            self._settle_by(self._recorder.record_own, [ended])

    def _settle_by(self, record: Callable[[list[Ended]], list[Recorded]], batch: list[Ended]) -> None:
        runs = [run for run, _ in batch]
        try:
            self._tell(runs, record(batch))
        except Exception:
            self.unrecorded += len(batch)
            logger.exception("could not settle %d outcomes; their leases will run out", len(batch))
        finally:
            self._flight.settled(runs)

    def _tell(self, runs: list[Run], recorded: list[Recorded]) -> None:
        done = [(run, outcome) for run, (outcome, applied) in zip(runs, recorded, strict=True) if applied]
        if len(done) < len(recorded):
            self._losses.report([run for run, (_, applied) in zip(runs, recorded, strict=True) if not applied])
        outcomes = [outcome for _, outcome in done]
        self.counts.update(map(type, outcomes))
        self._place.observers.settled(outcomes, [run.record for run, _ in done])
        chatty = logger.isEnabledFor(logging.DEBUG)
        for run, outcome in done:
            if chatty or not isinstance(outcome, Complete):
                _log(run, outcome)


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
