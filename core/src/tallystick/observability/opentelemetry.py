"""Traces and metrics for OpenTelemetry: `runner.add_hooks(OpenTelemetry())`. Needs the extra `opentelemetry`.

Source: OpenTelemetry semantic conventions 1.44.0, messaging spans and messaging client metrics.
"""

import sys
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from .. import Context, Inserted, NewRecord, Record, Snooze, Stopped, hookimpl
from .._version import __version__
from ..messages.safe_repr import type_name

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
"""The version of the semantic conventions that names and attributes follow."""

_SYSTEM = "tallystick"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # as the conventions advise
_NO_FAILURE = (Snooze, Stopped, CancelledError)
"""The exceptions that end an attempt without an error."""

_OPERATIONS = {"insert": ("send", "send"), "claim": ("receive", "receive"), "settle": ("settle", "settle")}
"""The name and the type of the operation for each call to the store."""

Attributes = dict[str, AttributeValue]


class OpenTelemetry:
    """Creates a span for each enqueued job and for each attempt, and links them. Counts jobs, and times handlers.

    The span of an attempt links to the span of the enqueue, whose context the job carries in its `meta`. A handler's
    own spans are children of the attempt's span. Without an SDK that the application configures, nothing is recorded.

    Args:
        tracer_provider: Makes the tracer; None uses the global provider.
        meter_provider: Makes the meter; None uses the global provider.
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(__name__, __version__, tracer_provider, SCHEMA_URL)
        meter = metrics.get_meter(__name__, __version__, meter_provider, SCHEMA_URL)
        self._sent = meter.create_counter(
            "messaging.client.sent.messages", "{message}", "Jobs that this process enqueued."
        )
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages", "{message}", "Jobs that this process claimed."
        )
        self._calls = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "How long calls to the store took.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._duration = meter.create_histogram(
            "messaging.process.duration",
            "s",
            "How long handlers ran.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    @hookimpl
    def tallystick_meta(self, records: Sequence[NewRecord]) -> list[Mapping[str, str]]:
        """Create a span for each job, and return its context as meta."""
        return [self._created(record) for record in records]

    @hookimpl
    def tallystick_call(self, name: str, queues: Sequence[str]) -> Callable[[], None]:
        """Start to time a call. The returned function records how long it took."""
        operation, type = _OPERATIONS[name]
        names = {*queues}
        attributes = _attributes(operation, names.pop() if len(names) == 1 else None, type)
        began = perf_counter()
        return lambda: self._calls.record(perf_counter() - began, attributes | _error())

    @hookimpl
    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Count the new jobs of each queue."""
        for queue, count in _queues(item.record for item in inserted if item.created):
            self._sent.add(count, _attributes("send", queue))

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Count the claimed jobs of each queue."""
        for queue, count in _queues(records):
            self._consumed.add(count, _attributes("receive", queue))

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Start the span of an attempt. The returned function ends it."""
        attributes = _attributes("process", ctx.queue)
        began, span = perf_counter(), self._attempt_span(ctx, attributes)
        token = context.attach(trace.set_span_in_context(span))

        def end() -> None:
            context.detach(token)
            failed = _set_outcome(span)
            span.end()
            self._duration.record(perf_counter() - began, attributes | failed)

        return end

    def _created(self, record: NewRecord) -> Mapping[str, str]:
        carrier: dict[str, str] = {}
        with self._tracer.start_as_current_span(
            f"create {record.queue}",
            kind=SpanKind.PRODUCER,
            attributes=_attributes("create", record.queue, type="create") | _of_job(record),
        ):
            propagate.inject(carrier)
        return carrier

    def _attempt_span(self, ctx: Context, attributes: Attributes) -> Span:
        creation = trace.get_current_span(propagate.extract(ctx.meta, context.Context())).get_span_context()
        return self._tracer.start_span(
            f"process {ctx.queue}",
            context.Context(),  # in a batch, the span of another job is current
            kind=SpanKind.CONSUMER,
            links=[Link(creation)] if creation.is_valid else [],
            attributes=attributes
            | {"messaging.operation.type": "process", "tallystick.job.attempt": ctx.attempt}
            | _of_job(ctx.record),
            record_exception=False,
        )


def _attributes(operation: str, queue: str | None, type: str | None = None) -> Attributes:
    """Return the attributes of an operation. A call about several queues has no destination."""
    attributes: Attributes = {"messaging.system": _SYSTEM, "messaging.operation.name": operation}
    if queue is not None:
        attributes["messaging.destination.name"] = queue
    return attributes if type is None else attributes | {"messaging.operation.type": type}


def _of_job(record: NewRecord | Record) -> Attributes:
    return {"messaging.message.id": str(record.id), "tallystick.job.kind": record.kind}


def _queues(records: Iterable[Record]) -> Iterable[tuple[str, int]]:
    return Counter(record.queue for record in records).items()


def _set_outcome(span: Span) -> Attributes:
    """Set the status of a span from the exception that is leaving the handler, and return its attributes."""
    exception = sys.exception()
    if exception is None or isinstance(exception, _NO_FAILURE):
        return {}
    failed = _error()
    span.record_exception(exception)
    span.set_attributes(failed)
    span.set_status(Status(StatusCode.ERROR))
    return failed


def _error() -> Attributes:
    """Return the attributes of the exception that is leaving a handler or a call; none without one."""
    exception = sys.exception()
    return {} if exception is None else {"error.type": type_name(exception)}
