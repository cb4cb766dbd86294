"""Put off jobs of unregistered kinds: an old worker must not fail the jobs of a newer version."""

from ..contract import validation
from ..errors import InvalidArgument
from ..jobs.context import Context
from ..jobs.control import DiscardJob, Snooze
from ..jobs.definition import Definition
from ..jobs.options import Options
from .attempt import Attempt
from .put_off import PUT_OFF, UNKNOWN_KIND


def _put_off(payload: bytes, ctx: Context) -> None:
    try:
        validation.name(ctx.kind, "kind")
    except InvalidArgument as exc:  # no runner can register this kind
        raise DiscardJob(f"{exc}; correct the record and requeue it, or delete it") from exc
    if isinstance(ctx, Attempt):
        ctx.worker_context.put_off.note(ctx, UNKNOWN_KIND)
    raise Snooze(PUT_OFF)


UNKNOWN: Definition[bytes, bytes | None] = Definition(
    kind="unknown", handler=_put_off, options=Options(), payloads=None, results=None, is_async=False
)
"""The definition of every unregistered kind. Its handler discards a job whose kind is not a valid name."""
