"""Fire the ticks of schedules. Every worker tries; the store lets only one of them fire a given tick."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ..contract.schedules import Schedule
from ..errors import Unsupported
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_repr
from .firing import LIMIT, Firing, is_due
from .pauses import doubling
from .service import Service
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_LONGEST_PAUSE = timedelta(seconds=15)
"""A schedule that another process stored is seen after this time. It is shorter than `ON_TIME`, so its tick fires."""

_FIRST_RETRY, _LONGEST_RETRY = 0.02, 1.0


class Scheduler:
    """Reads the schedules that fire next, advances those that are due, and waits for the next tick."""

    def __init__(self, context: WorkerContext) -> None:
        self.service = Service("scheduler", self._step, context.current)
        self._context = context
        self._firing = Firing(context.backend, context.batch, self._skip)
        self._retries = _new_retries()
        self._broken: set[tuple[str, int]] = set()

    def look(self) -> None:
        """Read the schedules now, because one has changed."""
        self.service.wake()

    def _step(self) -> None:
        try:
            schedules = self._context.backend.due_schedules(limit=LIMIT)
        except Unsupported as exc:
            logger.debug("this worker fires no schedules: %s", safe_repr(exc))
            self.service.stopping.set()
            return
        now = datetime.now(UTC)
        working = [each for each in schedules if (each.name, each.revision) not in self._broken]
        advances = list(self._firing.advances(working, now))
        if not advances:
            self._retries = _new_retries()
            self.service.pause(self._until_next(schedules, now))
        elif self._firing.advance(advances):
            self._retries = _new_retries()
        else:  # another worker was first, or the store's clock is behind this one
            self.service.pause(next(self._retries))

    def _skip(self, name: str, revision: int, exc: Exception) -> None:
        """Log once that a schedule is broken, and leave it alone until it changes. The others must still fire."""
        self._broken.add((name, revision))
        logger.error("schedule %r does not fire: %s; correct it, or remove it", name, safe_repr(exc))

    def _until_next(self, schedules: Sequence[Schedule], now: datetime) -> float:
        longest = min(_LONGEST_PAUSE, self._context.settings.maintenance)
        later = [each.next_tick - now for each in schedules if each.next_tick and not is_due(each, now)]
        return min([longest, *later]).total_seconds()


def _new_retries() -> Iterator[float]:
    return doubling(_FIRST_RETRY, _LONGEST_RETRY)
