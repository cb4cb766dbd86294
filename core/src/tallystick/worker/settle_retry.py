"""Record outcomes despite store failures and lost replies, and detect completions by handlers' own transactions."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event
from typing import assert_never
from uuid import UUID

from ..contract.backend import Backend
from ..contract.failure import Failure
from ..contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..contract.records import Record
from ..contract.state import TRANSITIONS
from ..errors import BackendError, InvalidResult, OutcomeUnknown
from ..jobs.context import log_fields
from ..messages.safe_logging import exc_info, safe_logger
from ..messages.safe_repr import safe_repr, safe_str
from .attempt import Attempt
from .execute import Ended
from .pauses import doubling

logger = safe_logger("tallystick.worker")

Recorded = tuple[Ended, bool]
"""An ended attempt, and whether its outcome was applied. The outcome may differ from the one that was settled."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class SettleRetry:
    """Records outcomes, and retries while the store is unavailable. After `give_up` is set, each try is the last."""

    def __init__(self, backend: Backend, give_up: Event) -> None:
        self._backend = backend
        self._give_up = give_up

    def record(self, batch: list[Ended]) -> list[Recorded]:
        """Record outcomes; return the recorded outcome of each, in order."""
        recorded = self._settle(batch)
        if all(applied for _, applied in recorded):
            return recorded
        return [
            one if one[1] or ended.attempt.completion is None else self._or_completed(ended.attempt, one)
            for ended, one in zip(batch, recorded, strict=True)
        ]

    def record_own(self, alone: list[Ended]) -> list[Recorded]:
        """Record the outcome of an attempt that its handler completed in a transaction, unless that has committed.

        Tries only once: while the transaction is open, the store waits for its end.
        """
        [ended] = alone
        attempt = ended.attempt
        attempt.worker_context.reports.forget(attempt.claim)
        result = self._or_completed(attempt, (ended, False))
        if not result[1]:
            logger.warning(
                "job %s: its handler called complete(), but the transaction has not committed; the job ends with the "
                "handler's outcome",
                attempt.id,
                extra=log_fields(attempt.record),
            )
            [result] = self._settle([ended], tries=1)
        return [result if result[1] else self._or_completed(attempt, result)]

    def _or_completed(self, attempt: Attempt, otherwise: Recorded) -> Recorded:
        """Return the completion if the handler's transaction has committed it, else `otherwise`."""
        assert attempt.completion is not None
        if not _is_ended_by(self._get_record(attempt), attempt.completion):
            return otherwise
        ignored = otherwise[0]
        if ignored.outcome != attempt.completion:
            logger.warning(
                "job %s was completed by its handler's transaction; a later outcome is ignored: %s",
                attempt.id,
                type(ignored.outcome).__name__,
                extra=log_fields(attempt.record),
                exc_info=exc_info(ignored.exception),
            )
        return Ended(attempt, attempt.completion), True

    def _get_record(self, attempt: Attempt) -> Mapping[UUID, Record]:
        pauses = doubling(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                return self._backend.get([attempt.id])
            except BackendError as exc:
                self._pause(exc, next(pauses), f"reading job {attempt.id}")

    def _settle(self, batch: list[Ended], *, tries: int | None = None) -> list[Recorded]:
        """Settle, and retry while the store fails. If it rejects the batch for another reason, settle one by one."""
        pauses, unknown = doubling(_FIRST_PAUSE, _LONGEST_PAUSE), False
        context = batch[0].attempt.worker_context
        while True:
            try:
                context.reports.store(self._backend, context.batch, [ended.attempt.claim for ended in batch])
                with context.observers.calling("settle", partial(_queues, batch)):
                    applied = self._backend.settle([ended.outcome for ended in batch])
            except BackendError as exc:
                if tries is not None:
                    raise
                unknown = unknown or isinstance(exc, OutcomeUnknown)
                self._pause(exc, next(pauses), f"settling {len(batch)} outcomes")
            except BaseException as exc:
                if len(batch) > 1:
                    return [recorded for ended in batch for recorded in self._settle([ended])]
                return [self._discard_rejected(batch[0], exc)]
            else:
                recorded = list(zip(batch, applied, strict=True))
                return self._check_applied(recorded) if unknown else recorded

    def _pause(self, exc: BackendError, pause: float, what: str) -> None:
        """Wait before the next try. Raises if there is no next try."""
        if self._give_up.is_set():
            raise exc
        logger.warning("%s: %s; next try in %.2f s", what, safe_repr(exc), pause)
        self._give_up.wait(pause)

    def _discard_rejected(self, ended: Ended, exc: BaseException) -> Recorded:
        """Discard a job because the store rejects its outcome."""
        attempt, outcome, _ = ended
        match outcome:
            case Discard():
                logger.error(
                    "the store rejected the discard of job %s; its lease will expire",
                    attempt.id,
                    extra=log_fields(attempt.record),
                    exc_info=exc_info(exc),
                )
                return ended, False
            case Complete():
                why = f"the handler ran and returned, but the store rejected its result: {safe_str(exc)}"
                exc = _caused(InvalidResult(why), exc)
            case Retry() | Release() | Cancel():
                pass
            case _:
                assert_never(outcome)
        return self._settle([Ended(attempt, Discard(attempt.claim, Failure.of(exc)), exc)])[0]

    def _check_applied(self, recorded: list[Recorded]) -> list[Recorded]:
        """Check which of the rejected outcomes were in fact applied by an earlier try whose reply was lost."""
        records = self._backend.get([ended.attempt.id for ended, applied in recorded if not applied])
        return [(ended, applied or _is_ended_by(records, ended.outcome)) for ended, applied in recorded]


def split_by_transaction(batch: list[Ended]) -> tuple[list[Ended], list[Ended]]:
    """Split a batch into attempts to settle together, and attempts that their handlers completed in transactions."""
    together: list[Ended] = []
    alone: list[Ended] = []
    for ended in batch:
        (together if ended.attempt.completion is None else alone).append(ended)
    return together, alone


def _is_ended_by(records: Mapping[UUID, Record], outcome: Outcome) -> bool:
    record = records.get(outcome.claim.id)
    if record is None or record.claim != outcome.claim:
        return False
    if record.state not in TRANSITIONS.targets(f"settle {type(outcome).__name__}"):
        return False
    match outcome:
        case Retry(error=error) | Discard(error=error):
            return record.last_error == error
        case Complete() | Release() | Cancel():
            return True
        case _:
            assert_never(outcome)


def _caused(error: InvalidResult, cause: BaseException) -> InvalidResult:
    error.__cause__ = cause
    return error


def _queues(batch: Sequence[Ended]) -> list[str]:
    return [ended.attempt.queue for ended in batch]
