"""Count jobs of unregistered kinds that are put off, and log each kind once a minute."""

from collections import Counter
from threading import Lock
from time import monotonic

from ..context import Context, log_fields
from ..safe_logging import safe_logger

logger = safe_logger("tallystick.worker")

_SECONDS = 60
_MOST_KINDS = 1_000


class PutOff:
    """Counts the jobs of unknown kinds that a worker put off. All kinds after the first thousand share one entry."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = Lock()
        self._logged: dict[str, float] = {}
        self._since: Counter[str] = Counter()

    def note(self, ctx: Context) -> None:
        """Count a job, and log its kind at most once a minute. Thread-safe."""
        with self._lock:
            kind = ctx.kind if ctx.kind in self._logged or len(self._logged) < _MOST_KINDS else "(other kinds)"
            self._since[kind] += 1
            now = monotonic()
            if now >= self._logged.get(kind, now):
                self._logged[kind] = now + _SECONDS
                self._log(ctx, kind)
            self.total += 1

    def _log(self, ctx: Context, kind: str) -> None:
        logger.warning(
            "no handler for kind %r; %d jobs were put off since the last warning. Import the module that registers it "
            "before start(), or start another worker that registers it for queue %r",
            kind,
            self._since.pop(kind),
            ctx.queue,
            extra=log_fields(ctx.record),
        )
