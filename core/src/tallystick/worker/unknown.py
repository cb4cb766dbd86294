"""Put off jobs of kinds that this runner does not know: an older worker must not fail a newer job."""

from datetime import timedelta

from .. import guards
from ..context import Context, log_fields
from ..control import Abandon, Snooze
from ..definition import Definition
from ..errors import InvalidArgument
from ..options import Options
from ..safe_logging import safe_logger

logger = safe_logger("tallystick.worker")

PUT_OFF = timedelta(seconds=30)
"""How long such a job is put off, so that another worker can have it."""


def _put_off(payload: bytes, ctx: Context) -> None:
    try:
        guards.name(ctx.kind, "kind")
    except InvalidArgument as exc:  # no runner can register it
        raise Abandon(f"{exc}; correct the record and requeue it, or delete it") from exc
    logger.warning("no handler for kind %r; put off", ctx.kind, extra=log_fields(ctx.record))
    raise Snooze(PUT_OFF)


UNKNOWN: Definition[bytes, bytes | None] = Definition("unknown", _put_off, Options(), None, None, is_async=False)
"""The definition of every kind that is not registered. Its handler discards a job whose kind is no valid name."""
