"""Errors of jobs for Sentry: `runner.add_hooks(Sentry())`. Needs the extra `sentry`."""

from collections.abc import Sequence

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger

from .. import Discard, Outcome, Record, Retry, hookimpl


class Sentry:
    """Reports discarded jobs to Sentry, each with its kind, queue, id and attempt. Call `sentry_sdk.init` yourself.

    The logger `tallystick.worker` no longer creates events, because it logs the same exceptions.

    Args:
        retries: Also report failed attempts that are retried, as warnings.
    """

    def __init__(self, *, retries: bool = False) -> None:
        self._retries = retries
        ignore_logger("tallystick.worker")

    @hookimpl
    def tallystick_settled(
        self, outcomes: Sequence[Outcome], records: Sequence[Record], exceptions: Sequence[BaseException | None]
    ) -> None:
        """Report the failed attempts."""
        for outcome, record, exception in zip(outcomes, records, exceptions, strict=True):
            if isinstance(outcome, Discard) or (self._retries and isinstance(outcome, Retry)):
                _report(outcome, record, exception)


def _report(outcome: Discard | Retry, record: Record, exception: BaseException | None) -> None:
    with sentry_sdk.isolation_scope() as scope:
        scope.set_level("error" if isinstance(outcome, Discard) else "warning")
        scope.set_transaction_name(record.kind)
        scope.set_tags({"tallystick.kind": record.kind, "tallystick.queue": record.queue})
        scope.set_context(
            "job",
            {"id": str(record.id), "attempt": record.attempt, "max_attempts": record.max_attempts},
        )
        if exception is not None:
            sentry_sdk.capture_exception(exception)
        else:  # a worker died
            sentry_sdk.capture_message(f"{outcome.error.type}: {outcome.error.message}")
