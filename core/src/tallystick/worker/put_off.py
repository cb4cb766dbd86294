"""Count jobs that are put off for a worker of another version of the program, and log each kind once a minute."""

from collections import Counter
from datetime import timedelta
from threading import Lock
from time import monotonic

from ..jobs.context import Context, log_fields
from ..messages.safe_logging import safe_logger

logger = safe_logger("tallystick.worker")

PUT_OFF = timedelta(seconds=30)
"""How long such a job waits, so that another worker can claim it."""

UNKNOWN_KIND = (
    "no handler for kind %r; %d jobs were put off since the last warning. Import the module that registers it before "
    "start(), or start another worker that registers it for queue %r"
)
NEWER_PAYLOAD = (
    "payloads of kind %r have a newer version than this program knows; %d jobs were put off since the last warning. "
    "Start a worker of the newer program for queue %r"
)

_SECONDS = 60
_MOST_KINDS = 1_000


class PutOff:
    """Counts the jobs that a worker put off. All kinds after the first thousand share one entry."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = Lock()
        self._logged: dict[str, float] = {}
        self._since: Counter[str] = Counter()

    def note(self, ctx: Context, why: str) -> None:
        """Count a job, and log its kind and why it was put off, at most once a minute. Thread-safe."""
        with self._lock:
            kind = ctx.kind if ctx.kind in self._logged or len(self._logged) < _MOST_KINDS else "(other kinds)"
            self._since[kind] += 1
            now = monotonic()
            if now >= self._logged.get(kind, now):
                self._logged[kind] = now + _SECONDS
                self._log(ctx, kind, why)
            self.total += 1

    def _log(self, ctx: Context, kind: str, why: str) -> None:
        logger.warning(why, kind, self._since.pop(kind), ctx.queue, extra=log_fields(ctx.record))
