"""An attempt as the worker sees it, from its claim to its end."""

import asyncio
from typing import Any, TypeVar

from .. import validation
from ..context import Context
from ..definition import Definition
from ..errors import ClaimLost
from ..outcomes import Complete
from ..records import Claim, Record
from .worker_context import WorkerContext

T = TypeVar("T")


class Attempt(Context):
    """The context that a handler is given, and what the worker needs to know beside.

    `started_at` is monotonic, `extend_at` by the worker's clock. `lost` is whether its loss was reported.
    `completion` is how the handler has completed it in a transaction of its own, which may or may not have committed.
    """

    __slots__ = ("claim", "completion", "definition", "extend_at", "lost", "started_at", "task", "worker_context")

    def __init__(
        self, context: WorkerContext, record: Record, definition: Definition[Any, Any], extend_at: float
    ) -> None:
        super().__init__(record)
        self.worker_context = context
        self.completion: Complete | None = None
        self.claim: Claim = record.claim
        self.definition = definition
        self.extend_at = extend_at
        self.lost = False
        self.started_at: float | None = None
        self.task: asyncio.Task[Any] | None = None

    def complete(self, result: T, *, transaction: object) -> T:
        """See `Context.complete`."""
        before, self.completion = self.completion, self._completed(result)
        try:
            [applied] = self.worker_context.backend.settle([self.completion], transaction=transaction)
        except BaseException:
            self.completion = before
            raise
        if not applied:
            self.completion = before
            raise ClaimLost(
                f"job {self.id} cannot be completed by attempt {self.attempt}, which has ended: it was completed "
                "already, or its lease ran out and another has the job; roll the transaction back"
            )
        return result

    def completed(self, result: object) -> Complete:
        """Return how the attempt ends when its handler has returned.

        Raises:
            InvalidResult, PayloadTooLarge: the result is not of its type, or cannot be stored.
        """
        return self.completion if result is None and self.completion is not None else self._completed(result)

    def _completed(self, result: object) -> Complete:
        encoded = self.definition.encode_result(result)
        if encoded is not None:
            validation.size(
                encoded, self.worker_context.backend.capabilities.max_payload_bytes, f"the result of {self.kind!r}"
            )
        return Complete(self.claim, encoded)
