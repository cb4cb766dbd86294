"""Run one handler without a store."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from ..async_bridge import hop
from ..config.setting_types import DEFAULT_MAX_ATTEMPTS
from ..contract.progress import checked
from ..contract.records import NewRecord, Record
from ..contract.state import State
from ..errors import InvalidArgument
from ..jobs.batch_definition import BatchDefinition
from ..jobs.context import Context
from ..jobs.declaration import Call, Declaration
from ..jobs.definition import Definition
from ..jobs.job_base import Job
from ..messages.safe_repr import safe_repr
from ..runner.runner import Runner
from .loops import is_in_loop

R = TypeVar("R")

_LEASE = timedelta(seconds=30)


OnProgress = Callable[[float | None, str], object]


class _Context(Context):
    """A context that passes each report on."""

    __slots__ = ("_on_progress",)

    def __init__(self, record: Record, on_progress: OnProgress | None) -> None:
        super().__init__(record)
        self._on_progress = on_progress

    def progress(self, fraction: float | None, message: str = "") -> None:
        """See `Context.progress`."""
        report = checked(fraction, message)
        if self._on_progress is not None:
            self._on_progress(*report)


def run_job(
    job: Job[R] | Call[R],
    *,
    attempt: int = 1,
    meta: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> R:
    """Run the handler of a job once, and return its result. Payload and result pass through JSON, as in a store.

    All exceptions of the handler are raised as they are, `Snooze` and `DiscardJob` too. There is no store: a handler
    that enqueues jobs, or takes services, needs `manual` or `inline` around this call.

    Args:
        attempt: The number of the attempt, as the handler sees it in `ctx.attempt`.
        meta: Replaces the meta of the kind.
        on_progress: Called with the fraction and the message of each `ctx.progress`.

    Raises:
        InvalidPayload: The handler could not read the payload.
        InvalidResult: The result does not match the declared type, or is not JSON.
        InvalidArgument: An event loop runs in this thread, and the handler is async. Await `arun_job` there.
    """
    definition, record = _started(job, attempt, meta)
    if not definition.is_async:
        return cast("R", _result(definition, _call(definition, _Context(record, on_progress))))
    if is_in_loop():
        raise InvalidArgument(
            f"the handler of {definition.kind!r} is async, and an event loop runs here; write: await arun_job(job)"
        )
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as loop:
        return loop.run(arun_job(job, attempt=attempt, meta=meta, on_progress=on_progress))


async def arun_job(
    job: Job[R] | Call[R],
    *,
    attempt: int = 1,
    meta: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> R:
    """See `run_job`. An async handler runs on the running event loop, and a sync handler in a thread."""
    definition, record = _started(job, attempt, meta)
    if not definition.is_async:
        returned = await hop(lambda: _call(definition, _Context(record, on_progress)))
    else:
        returned = await _call(definition, _Context(record, on_progress))
    return cast("R", _result(definition, returned))


def _started(job: object, attempt: int, meta: Mapping[str, str] | None) -> tuple[Definition[Any, Any], Record]:
    """Return the definition of a job, and the record that a claim would return."""
    definition, payload = _resolve(job)
    options = definition.options
    new = NewRecord(
        kind=definition.kind,
        payload=definition.encode(payload),
        queue=options.queue,
        priority=options.priority,
        max_attempts=DEFAULT_MAX_ATTEMPTS if options.max_attempts is None else options.max_attempts,
        tags=options.tags,
        meta=options.meta if meta is None else meta,
    )
    now = datetime.now(UTC)
    return definition, new.stored(now)._replace(
        state=State.RUNNING, attempt=attempt, attempted_at=now, lease_until=now + _LEASE, worker="test"
    )


def _resolve(job: object) -> tuple[Definition[Any, Any], Any]:
    if isinstance(job, Call):
        return _handled(job.definition), job.payload
    if isinstance(job, Job):
        return Definition.of_class(type(job)), job
    raise InvalidArgument(
        f"job is {safe_repr(job)}; it must be an instance of a Job class, or the return value of .job(payload)"
    )


def _handled(declaration: Declaration[Any, Any]) -> Definition[Any, Any]:
    """Return the definition of a kind. The current runner has it if the job was made from a declaration."""
    if isinstance(declaration, Definition):
        return declaration
    return Runner.current().definitions[declaration.kind]


def _call(definition: Definition[Any, Any], context: Context) -> Any:
    payload: Any = definition.decode(context.record.payload, context.meta)
    handler = cast("Callable[..., Any]", definition.handler)
    if isinstance(definition, BatchDefinition):  # a batch of one job
        return handler([payload], [context])
    if not definition.services:
        return handler(payload, context)
    services = Runner.current()._services  # noqa: SLF001  # tests get the services that workers get
    call: Any = services.acall if definition.is_async else services.call
    return call(handler, payload, context, definition.services)


def _result(definition: Definition[Any, Any], returned: Any) -> Any:
    if isinstance(definition, BatchDefinition) and returned is not None:
        [returned] = returned
        if isinstance(returned, BaseException):
            raise returned
    return definition.decode_result(definition.encode_result(returned))
