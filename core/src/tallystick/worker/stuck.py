"""Handlers that ran past their timeout and have not returned: a thread or task that none can end."""

import logging
from collections import Counter

from .run import Run

logger = logging.getLogger("tallystick.worker")


class StuckHandlers:
    """Up to `limit` of them are replaced by another thread or task. While there are more, the worker claims nothing.

    A handler is added before its attempt is ended and removed once it returns, each by one atomic step on a dict.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._replaced: dict[Run, bool] = {}
        self._seen_full = False
        self._reported = False

    def __len__(self) -> int:
        return len(self._replaced)

    @property
    def full(self) -> bool:
        """Whether there are more than are replaced."""
        return len(self._replaced) > self._limit

    def add(self, run: Run) -> bool:
        """Add a handler, and return whether another thread or task is to replace it."""
        replaced = self._replaced[run] = len(self._replaced) < self._limit
        return replaced

    def remove(self, run: Run) -> bool:
        """Remove a handler, and return whether it was replaced; False if it is not one of these."""
        return self._replaced.pop(run, False)

    def hold_claims(self) -> bool:
        """Return whether the worker should claim nothing now; log it when it is seen for the second time in a row.

        A handler that is just being cancelled may count for a moment.
        """
        if not self.full:
            if self._reported:
                logger.warning("stuck handlers have returned; this worker claims jobs again")
            self._seen_full = self._reported = False
            return False
        if self._seen_full and not self._reported:
            self._reported = True
            logger.error(
                "this worker claims no more jobs: %d handlers ran past their timeout and have not returned (%s). "
                "Restart the worker; let these handlers call ctx.check(), or run their work in a process that can be "
                "killed",
                len(self),
                kinds_of(self._replaced.copy()),
            )
        self._seen_full = True
        return True

    def report_left(self, unreturned: set[Run]) -> None:
        """Log which handlers, these and stuck ones, still go on when the worker has stopped."""
        left = unreturned | set(self._replaced.copy())
        if left:
            logger.warning(
                "%d handlers have not returned and are left behind (%s); they end with the process, and what they "
                "return is not recorded",
                len(left),
                kinds_of(left),
            )


def kinds_of(runs: "set[Run] | dict[Run, bool]") -> str:
    """Return the kinds of some jobs with their numbers, the most frequent first."""
    counts = Counter(run.kind for run in runs)
    return ", ".join(f"{count} of kind {kind!r}" for kind, count in counts.most_common())
