"""Track handlers that ran past their timeout and have not returned. Their thread or task cannot be ended."""

from collections import Counter
from time import monotonic

from ..messages.safe_logging import safe_logger
from .attempt import Attempt

logger = safe_logger("tallystick.worker")

_REPORT_AFTER = 0.5
"""Seconds without claims before the worker logs them. A handler that is being cancelled also counts as stuck."""


class StuckHandlers:
    """Up to `limit` stuck handlers are replaced by a new thread or task. With more, the worker claims nothing.

    A handler is added before its attempt ends and removed once it returns, each by one atomic step on a dict.
    `loop_waits` is True from the cancellation of a task until the event loop runs it: a handler may block the loop.
    """

    def __init__(self, limit: int) -> None:
        self.loop_waits = False
        self._limit = limit
        self._replaced: dict[Attempt, bool] = {}
        self._since: float | None = None
        self._reported = False

    def __len__(self) -> int:
        return len(self._replaced)

    @property
    def too_many(self) -> bool:
        """Whether newly claimed jobs might find no free handler."""
        return len(self._replaced) > self._limit or self.loop_waits

    def add(self, attempt: Attempt) -> bool:
        """Add a handler, and return whether to replace its thread or task."""
        replaced = self._replaced[attempt] = len(self._replaced) < self._limit
        return replaced

    def remove(self, attempt: Attempt) -> bool:
        """Remove a handler, and return whether it was replaced; False if it was not stuck."""
        return self._replaced.pop(attempt, False)

    def hold_claims(self) -> bool:
        """Return whether the worker should claim nothing now. Logs when this lasts."""
        if not self.too_many:
            if self._reported:
                logger.warning("stuck handlers have returned; this worker claims jobs again")
            self._since, self._reported = None, False
            return False
        if self._since is None:
            self._since = monotonic()
        elif not self._reported and monotonic() - self._since >= _REPORT_AFTER:
            self._reported = True
            self._report()
        return True

    def _report(self) -> None:
        logger.error(
            "this worker claims no more jobs: %d handlers ran past their timeout and have not returned (%s)%s. Restart "
            'the worker; let these handlers call ctx.check(), or set isolation="process", so that they can be killed',
            len(self),
            kinds_of(self._replaced.copy()) or "none",
            ", and the event loop is blocked, since an async handler makes a blocking call" * self.loop_waits,
        )

    def report_left(self, unreturned: set[Attempt]) -> None:
        """Log the handlers that still run when the worker has stopped: these and the stuck ones."""
        left = unreturned | set(self._replaced.copy())
        if left:
            logger.warning(
                "%d handlers have not returned and are abandoned (%s); they end with the process, and their results "
                "are not recorded",
                len(left),
                kinds_of(left),
            )


def kinds_of(attempts: "set[Attempt] | dict[Attempt, bool]") -> str:
    """Return the kinds of some attempts with their counts, the most frequent first."""
    counts = Counter(attempt.kind for attempt in attempts)
    return ", ".join(f"{count} of kind {kind!r}" for kind, count in counts.most_common())
