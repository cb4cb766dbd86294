"""Recording how attempts ended, in a store that may fail or lose its answers, and beside handlers that did so."""

import logging
from collections.abc import Mapping
from threading import Event
from uuid import UUID

from ..backend import Backend
from ..context import log_fields
from ..errors import BackendError, OutcomeUnknown
from ..outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..records import Failure, Record
from ..state import State
from .run import Run

logger = logging.getLogger("tallystick.worker")

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


class Recorder:
    """While the store is unavailable it tries again: a repeat is harmless. Once `give_up` is set a try is the last."""

    def __init__(self, backend: Backend, give_up: Event) -> None:
        self._backend = backend
        self._give_up = give_up

    def record(self, batch: list[Ended]) -> list[Recorded]:
        """Record outcomes, and return what was recorded of each, in order."""
        recorded = self._settle([outcome for _, outcome in batch])
        if all(applied for _, applied in recorded):
            return recorded
        return [
            one if one[1] or run.completion is None else self._or_completed(run, one)
            for (run, _), one in zip(batch, recorded, strict=True)
        ]

    def record_own(self, alone: list[Ended]) -> list[Recorded]:
        """Record the outcome of an attempt that its handler completed in a transaction, unless that has committed.

        With one try: where the transaction is still open, the store waits for its end.
        """
        [(run, outcome)] = alone
        answer = self._or_completed(run, (outcome, False))
        if not answer[1]:
            logger.warning(
                "job %s: the transaction in which its handler completed it has not committed; it ends as the handler "
                "did",
                run.id,
                extra=log_fields(run.record),
            )
            [answer] = self._settle([outcome], tries=1)
        return [answer if answer[1] else self._or_completed(run, answer)]

    def _or_completed(self, run: Run, otherwise: Recorded) -> Recorded:
        """Say whether a handler's own transaction has completed its job; then nothing else counts."""
        assert run.completion is not None
        if not _is_ended_by(self._look_at(run), run.completion):
            return otherwise
        if otherwise[0] != run.completion:
            logger.warning(
                "job %s was completed by its handler's transaction; what came after does not count: %r",
                run.id,
                otherwise[0],
                extra=log_fields(run.record),
            )
        return run.completion, True

    def _look_at(self, run: Run) -> Mapping[UUID, Record]:
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._backend.get([run.id])
            except BackendError as exc:
                pause = self._pause(exc, pause, f"looking at job {run.id}")

    def _settle(self, outcomes: list[Outcome], *, tries: int | None = None) -> list[Recorded]:
        """Settle, again and again while the store fails; what it refuses for another reason, one by one."""
        pause, unknown = _FIRST_PAUSE, False
        while True:
            try:
                applied = self._backend.settle(outcomes)
            except BackendError as exc:
                if tries is not None:
                    raise
                unknown = unknown or isinstance(exc, OutcomeUnknown)
                pause = self._pause(exc, pause, f"settling {len(outcomes)} outcomes")
            except Exception as exc:
                if len(outcomes) > 1:
                    return [recorded for outcome in outcomes for recorded in self._settle([outcome])]
                return [self._settle_refused(outcomes[0], exc)]
            else:
                recorded = list(zip(outcomes, applied, strict=True))
                return self._looked_up(recorded) if unknown else recorded

    def _pause(self, exc: BackendError, pause: float, what: str) -> float:
        """Wait before the next try, and return how long to wait after it; without a next try, raise."""
        if self._give_up.is_set():
            raise exc
        logger.warning("%s: %r; next try in %.2f s", what, exc, pause)
        self._give_up.wait(pause)
        return min(pause * 2, _LONGEST_PAUSE)

    def _settle_refused(self, outcome: Outcome, exc: Exception) -> Recorded:
        """Discard a job whose outcome the store refuses."""
        if isinstance(outcome, Discard):
            logger.error("the store refused to discard job %s; its lease will run out", outcome.claim.id, exc_info=exc)
            return outcome, False
        return self._settle([Discard(outcome.claim, Failure.of(exc))])[0]

    def _looked_up(self, recorded: list[Recorded]) -> list[Recorded]:
        """Find out which of the outcomes that were refused had been applied before, in a try whose answer was lost."""
        records = self._backend.get([outcome.claim.id for outcome, applied in recorded if not applied])
        return [(outcome, applied or _is_ended_by(records, outcome)) for outcome, applied in recorded]


def apart(batch: list[Ended]) -> tuple[list[Ended], list[Ended]]:
    """Return what to record together, and what each on its own: what its handler completed in a transaction."""
    together: list[Ended] = []
    alone: list[Ended] = []
    for ended in batch:
        (together if ended[0].completion is None else alone).append(ended)
    return together, alone


def _is_ended_by(records: Mapping[UUID, Record], outcome: Outcome) -> bool:
    record = records.get(outcome.claim.id)
    if record is None or record.attempt != outcome.claim.attempt or record.state not in _LEADS_TO[type(outcome)]:
        return False
    return not isinstance(outcome, Retry | Discard) or record.last_error == outcome.error
