"""An attempt as the worker sees it, from claim to end."""

import asyncio
from datetime import timedelta
from typing import Any, TypeVar

from ..config.stored_form import read_payload, stored_result
from ..contract import validation
from ..contract.failure import Failure
from ..contract.outcomes import Complete
from ..contract.progress_report import ProgressReport
from ..contract.records import Claim, Record
from ..errors import ClaimLost
from ..jobs.context import Context
from ..jobs.definition import Definition
from .worker_context import WorkerContext

T = TypeVar("T")


class Attempt(Context):
    """The handler's context, with the worker's own state of the attempt.

    `started_at` uses the monotonic clock, `claimed_at` and `extend_at` the worker's clock. `lost` records that the loss
    was reported. `completion` is the outcome that the handler settled in its own transaction, which may not have
    committed. `batch` has the attempts of one call; it is set only for a handler of batches. `failure` is the text of
    the handler's exception in a child process; it is set only there.
    """

    batch: "list[Attempt]"
    failure: Failure

    __slots__ = (
        "batch",
        "claim",
        "claimed_at",
        "completion",
        "definition",
        "extend_at",
        "failure",
        "lost",
        "started_at",
        "task",
        "worker_context",
    )

    def __init__(
        self,
        context: WorkerContext,
        record: Record,
        definition: Definition[Any, Any],
        claimed_at: float,
        extend_at: float,
    ) -> None:
        super().__init__(record)
        self.worker_context = context
        self.completion: Complete | None = None
        self.claim = Claim(record.id, record.attempt)
        self.definition = definition
        self.claimed_at = claimed_at
        self.extend_at = extend_at
        self.lost = False
        self.started_at: float | None = None
        self.task: asyncio.Task[Any] | None = None

    def payload(self) -> Any:
        """Return the payload for the handler.

        Raises:
            InvalidPayload: the payload cannot be decoded.
        """
        record = self.record
        stored = read_payload(self.worker_context.settings, record.payload, record.kind)
        return self.definition.decode(stored, record.meta)

    @property
    def is_of_batch(self) -> bool:
        """Whether one call of the handler works several jobs, of which this is one."""
        return hasattr(self, "batch")

    @property
    def timeout(self) -> timedelta | None:
        """The longest time of this attempt, by its kind or by the runner; None is no limit."""
        return self.worker_context.settings.timeout_of(self.definition.options, self.record.queue)

    def progress(self, fraction: float | None, message: str = "") -> None:
        """See `Context.progress`."""
        report = ProgressReport(self.claim, fraction, message)
        if self.completion is None:
            self.worker_context.reports.put(report)

    def complete(self, result: T, *, transaction: object) -> T:
        """See `Context.complete`."""
        before, self.completion = self.completion, self._completed(result)
        self.worker_context.reports.forget(self.claim)  # a write beside the transaction would wait for its end
        try:
            [applied] = self.worker_context.backend.settle([self.completion], transaction=transaction)
        except BaseException:
            self.completion = before
            raise
        if not applied:
            self.completion = before
            raise ClaimLost(
                f"attempt {self.attempt} of job {self.id} has ended and cannot complete it: the job was completed, or "
                "its lease expired and another worker has the job; roll back the transaction"
            )
        return result

    def completed(self, result: object) -> Complete:
        """Return the outcome of an attempt whose handler returned.

        Raises:
            InvalidResult, PayloadTooLarge: the result does not match its type, or cannot be stored.
        """
        return self.completion if result is None and self.completion is not None else self._completed(result)

    def _completed(self, result: object) -> Complete:
        encoded = self.definition.encode_result(result)
        return Complete(self.claim, None if encoded is None else self._stored(encoded))

    def _stored(self, encoded: bytes) -> bytes:
        context = self.worker_context
        stored = stored_result(context.settings, encoded, self.kind)
        validation.size(stored, context.backend.capabilities.max_payload_bytes, f"the result of {self.kind!r}")
        return stored
