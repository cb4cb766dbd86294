"""What is done with a job of a kind that this runner does not know: an older worker must not fail a newer job."""

import logging
from datetime import timedelta
from functools import cache

from ..context import Context, log_fields
from ..control import Snooze
from ..definition import Definition
from ..options import Options

logger = logging.getLogger("tallystick.worker")

PUT_OFF = timedelta(seconds=30)
"""How long such a job is put off, so that another worker can have it."""


@cache
def unknown(kind: str) -> Definition[bytes, bytes | None]:
    """Return a definition whose handler puts the job off."""
    return Definition.raw(kind, _put_off, Options())


def _put_off(payload: bytes, ctx: Context) -> None:
    logger.warning("no handler for kind %r; put off", ctx.kind, extra=log_fields(ctx.record))
    raise Snooze(PUT_OFF)
