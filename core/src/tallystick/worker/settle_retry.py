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

Recorded = Ended | None
"""An ended attempt with the outcome that is stored, maybe not the settled one. None if its claim was stale."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class SettleRetry:
    """Records outcomes, and retries while the store is unavailable. After `give_up` is set, each try is the last."""

    def __init__(self, backend: Backend, give_up: Event) -> None:
        self._backend = backend
        self._give_up = give_up

    def record(self, batch: list[Ended]) -> list[Recorded]:
        """Record outcomes; return the recorded outcome of each, in order."""
        recorded = self._settle(batch)
        if all(recorded):
            return recorded
        return [
            self._completed(ended) if one is None and ended.attempt.completion is not None else one
            for ended, one in zip(batch, recorded, strict=True)
        ]

    def record_own(self, alone: list[Ended]) -> list[Recorded]:
        """Record the outcome of an attempt that its handler completed in a transaction, unless that has committed.

        Tries only once: while the transaction is open, the store waits for its end.
        """
        [ended] = alone
        attempt = ended.attempt
        attempt.worker_context.reports.forget(attempt.claim)
        recorded = self._completed(ended)
        if recorded is None:
            logger.warning(
                "job %s: its handler called complete(), but the transaction has not committed; the job ends with the "
                "handler's outcome",
                attempt.id,
                extra=log_fields(attempt.record),
            )
            [recorded] = self._settle([ended], tries=1)
        return [recorded or self._completed(ended)]

    def _completed(self, ignored: Ended) -> Recorded:
        """Return the completion if the handler's transaction has committed it, else None."""
        attempt = ignored.attempt
        assert attempt.completion is not None
        if not _is_ended_by(self._get_record(attempt), attempt.completion):
            return None
        if ignored.outcome != attempt.completion:
            logger.warning(
                "job %s was completed by its handler's transaction; a later outcome is ignored: %s",
                attempt.id,
                type(ignored.outcome).__name__,
                extra=log_fields(attempt.record),
                exc_info=exc_info(ignored.exception),
            )
        return Ended(attempt, attempt.completion)

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
                context.reports.store(self._backend, context.batch, (ended.attempt.claim for ended in batch))
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
                recorded = [ended if is_applied else None for ended, is_applied in zip(batch, applied, strict=True)]
                return self._check_applied(batch, recorded) if unknown else recorded

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
                return None
            case Complete():
                why = f"the handler ran and returned, but the store rejected its result: {safe_str(exc)}"
                exc = _caused(InvalidResult(why), exc)
            case Retry() | Release() | Cancel():
                pass
            case _:
                assert_never(outcome)
        return self._settle([Ended(attempt, Discard(attempt.claim, Failure.of(exc)), exc)])[0]

    def _check_applied(self, batch: list[Ended], recorded: list[Recorded]) -> list[Recorded]:
        """Check which of the rejected outcomes were in fact applied by an earlier try whose reply was lost."""
        rejected = [ended for ended, one in zip(batch, recorded, strict=True) if one is None]
        records = self._backend.get([ended.attempt.id for ended in rejected])
        return [
            one or (ended if _is_ended_by(records, ended.outcome) else None)
            for ended, one in zip(batch, recorded, strict=True)
        ]


def split_by_transaction(batch: list[Ended]) -> tuple[list[Ended], list[Ended]]:
    """Split a batch into attempts to settle together, and attempts that their handlers completed in transactions."""
    alone = [ended for ended in batch if ended.attempt.completion is not None]
    together = [ended for ended in batch if ended.attempt.completion is None] if alone else batch
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
