"""The job in the log lines of structlog: `runner.add_hooks(Structlog())`. Needs the extra `structlog`."""

from collections.abc import Callable

from structlog.contextvars import bind_contextvars, reset_contextvars

from .. import Context, hookimpl
from ..jobs.context import log_fields
from ..worker.attempt import Attempt


class Structlog:
    """Binds job_id, kind, queue and attempt in structlog's context variables while a handler runs.

    Add `structlog.contextvars.merge_contextvars` to your processors. A batch handler has the kind and the queue only.
    """

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Bind the fields of the job. The returned function restores the values before."""
        fields = log_fields(ctx.record)
        if isinstance(ctx, Attempt) and ctx.is_of_batch:
            fields = {"kind": ctx.kind, "queue": ctx.queue}
        tokens = bind_contextvars(**fields)
        return lambda: reset_contextvars(**tokens)
