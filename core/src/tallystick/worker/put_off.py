"""Jobs that are put off since their kind is not registered: counted, and logged once a minute for each kind."""

from collections import Counter
from threading import Lock
from time import monotonic

from ..context import Context, log_fields
from ..safe_logging import safe_logger

logger = safe_logger("tallystick.worker")

_SECONDS = 60
_MOST_KINDS = 1_000


class PutOff:
    """The jobs of unknown kinds that a worker put off. Kinds beyond a thousand share one entry."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = Lock()
        self._logged: dict[str, float] = {}
        self._since: Counter[str] = Counter()

    def note(self, ctx: Context) -> None:
        """Count a job, and log its kind unless that was logged within the last minute. Threads may call it at once."""
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
            "no handler for kind %r; put off, %d jobs since the last such record. Import the module that registers it "
            "before start(), or let a worker that knows it serve the queue %r",
            kind,
            self._since.pop(kind),
            ctx.queue,
            extra=log_fields(ctx.record),
        )
