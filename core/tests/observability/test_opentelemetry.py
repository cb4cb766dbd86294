"""Spans and metrics for OpenTelemetry."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv._incubating.metrics import messaging_metrics
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode
from tallystick import Context, Enqueue, Fixed, Runner, Snooze, Unavailable, hookimpl
from tallystick.observability.opentelemetry import SCHEMA_URL, OpenTelemetry
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually


class Recorded:
    """The spans and metrics of one test."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self._metrics = InMemoryMetricReader()
        self.hooks = OpenTelemetry(self.provider, MeterProvider([self._metrics]))

    def spans(self, name: str) -> list[ReadableSpan]:
        """Return the finished spans of a name."""
        return [span for span in self._spans.get_finished_spans() if span.name == name]

    def points(self, name: str) -> list[Any]:
        """Return the points of a metric."""
        data: Any = self._metrics.get_metrics_data()
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == name]
        return [point for metric in found for point in metric.data.data_points]


@pytest.fixture
def recorded() -> Recorded:
    """Return recorders with providers of their own."""
    return Recorded()


@pytest.fixture
def runner(make_runner: MakeRunner, recorded: Recorded) -> Runner:
    """Return a runner with the hooks."""
    runner = make_runner(retry=Fixed(AT_ONCE), max_attempts=2)
    runner.add_hooks(recorded.hooks)
    return runner


def test_the_attempt_links_to_the_enqueue(runner: Runner, recorded: Recorded) -> None:
    """The enqueue's span is a child of the caller's, the attempt's links to it, and the handler's is its child."""

    @runner.job("greet", queue="mail")
    def greet(payload: str, ctx: Context) -> None:
        with recorded.provider.get_tracer("app").start_as_current_span("inside"):
            pass

    with recorded.provider.get_tracer("app").start_as_current_span("request"):
        handle = runner.enqueue(greet.job("Ada"))
    runner.start()
    runner.wait_for(handle, timeout=LONG)
    runner.stop()
    [request], [create], [process], [inside] = map(recorded.spans, ("request", "create mail", "process mail", "inside"))
    assert create.parent == request.context
    assert process.parent is None
    assert [link.context.span_id for link in process.links] == [create.context.span_id]
    assert inside.parent is not None
    assert inside.parent.span_id == process.context.span_id
    assert (create.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert process.status.status_code is StatusCode.UNSET
    assert dict(process.attributes or {}) == {
        "messaging.system": "tallystick",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "mail",
        "messaging.message.id": str(handle.id),
        "tallystick.job.kind": "greet",
        "tallystick.job.attempt": 1,
    }


def test_async_handlers_and_batches_of_enqueues(runner: Runner, recorded: Recorded) -> None:
    """Each job of a batch has a span of its own, and the span of an async handler is current inside it."""
    seen: list[int] = []

    @runner.job("note")
    async def note(payload: int, ctx: Context) -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    handles = runner.enqueue_batch([note.job(1), note.job(2)])
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    runner.stop()
    created = {span.context.span_id for span in recorded.spans("create default")}
    attempts = recorded.spans("process default")
    assert {link.context.span_id for span in attempts for link in span.links} == created
    assert len(created) == 2
    assert {span.context.span_id for span in attempts} == {*seen}


def test_failures_are_recorded(runner: Runner, recorded: Recorded) -> None:
    """An exception of the handler sets the status, `error.type` and an event; each attempt has a span."""

    @runner.job("fail")
    def fail(payload: None, ctx: Context) -> None:
        raise LookupError("no such user")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    runner.wait_for(handle, timeout=LONG)
    runner.stop()
    spans = recorded.spans("process default")
    assert [(span.attributes or {})["tallystick.job.attempt"] for span in spans] == [1, 2]
    for span in spans:
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == "LookupError"
        assert [event.name for event in span.events] == ["exception"]
        assert span.links[0].context == spans[0].links[0].context


@pytest.mark.parametrize("is_async", [False, True])
def test_exceptions_of_batch_jobs_are_recorded(runner: Runner, recorded: Recorded, is_async: bool) -> None:
    """An exception that a batch handler returns for a job is in the span of that job only."""

    def index(payloads: list[int], contexts: list[Context]) -> list[Any]:
        return [None if payload else LookupError("zero") for payload in payloads]

    async def index_async(payloads: list[int], contexts: list[Context]) -> list[Any]:
        return index(payloads, contexts)

    definition = runner.batch("index", max_attempts=1)(index_async if is_async else index)
    handles = runner.enqueue_batch([definition.job(number) for number in (1, 0, 2)])
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    runner.stop()
    failed = {
        (span.attributes or {})["messaging.message.id"]: (span.attributes or {}).get("error.type")
        for span in recorded.spans("process default")
    }
    assert failed == {str(handle.id): kind for handle, kind in zip(handles, (None, "LookupError", None), strict=True)}


def test_a_batch_that_raises(runner: Runner, recorded: Recorded) -> None:
    """If a batch handler raises, each of its spans has the exception, and the current span before is restored."""

    @runner.batch("index", max_attempts=1)
    def index(payloads: list[int], contexts: list[Context]) -> None:
        raise LookupError("no index")

    handles = runner.enqueue_batch([index.job(number) for number in range(3)])
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    runner.stop()
    spans = recorded.spans("process default")
    assert [(span.attributes or {})["error.type"] for span in spans] == ["LookupError"] * 3
    assert all(span.parent is None for span in spans)


def test_a_snooze_is_no_failure(runner: Runner, recorded: Recorded) -> None:
    """A snoozed attempt has a span without an error."""

    @runner.job("wait")
    def wait(payload: None, ctx: Context) -> None:
        if ctx.attempt == 1:
            raise Snooze(AT_ONCE)

    handle = runner.enqueue(wait.job(None))
    runner.start()
    runner.wait_for(handle, timeout=LONG)
    runner.stop()
    assert [span.status.status_code for span in recorded.spans("process default")] == [StatusCode.UNSET] * 2


def test_metrics(runner: Runner, recorded: Recorded) -> None:
    """Enqueued and claimed jobs are counted by queue, without duplicates; handlers are timed, failed ones apart."""

    @runner.job("maybe", max_attempts=1)
    def maybe(payload: bool, ctx: Context) -> None:
        if payload:
            raise ValueError("yes")

    handles = [runner.enqueue(maybe.job(fail), unique_key=str(fail)) for fail in (True, False)]
    runner.enqueue(maybe.job(True), unique_key="True")
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    runner.stop()
    assert [point.value for point in recorded.points("messaging.client.sent.messages")] == [2]
    assert [point.value for point in recorded.points("messaging.client.consumed.messages")] == [2]
    timed = {point.attributes.get("error.type"): point.count for point in recorded.points("messaging.process.duration")}
    assert timed == {None: 1, "ValueError": 1}


def test_calls_are_timed(make_runner: MakeRunner, recorded: Recorded) -> None:
    """Inserts, claims and settles are timed by queue, those of several queues without one, and failed ones apart."""

    class Store(MemoryBackend):
        fails = False

        def insert(self, records: Any, **arguments: Any) -> Any:
            if self.fails:
                raise Unavailable("no store")
            return super().insert(records, **arguments)

    store = Store()
    runner = make_runner(store)
    runner.add_hooks(recorded.hooks)

    @runner.job("note", queue="mail")
    def note(payload: None, ctx: Context) -> None: ...

    runner.enqueue_batch([Enqueue(note.job(None)), Enqueue(note.job(None), queue="other")])
    runner.enqueue(note.job(None))
    store.fails = True
    with pytest.raises(Unavailable):
        runner.enqueue(note.job(None))
    runner.start()
    eventually(lambda: runner.snapshot().completed == 2)
    runner.stop()
    points = recorded.points("messaging.client.operation.duration")
    sent = [
        (point.attributes.get("messaging.destination.name"), point.attributes.get("error.type"), point.count)
        for point in points
        if point.attributes["messaging.operation.type"] == "send"
    ]
    assert sent == [(None, None, 1), ("mail", None, 1), ("mail", "tallystick.errors.Unavailable", 1)]
    others = {point.attributes["messaging.operation.name"]: point for point in points}
    assert {*others} == {"send", "receive", "settle"}
    assert others["settle"].attributes["messaging.destination.name"] == "mail"


def test_names_are_those_of_the_conventions(runner: Runner, recorded: Recorded) -> None:
    """The names are those of the pinned conventions."""
    assert Schemas.V1_44_0.value == SCHEMA_URL
    assert messaging_metrics.MESSAGING_CLIENT_SENT_MESSAGES == "messaging.client.sent.messages"
    assert messaging_metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES == "messaging.client.consumed.messages"
    assert messaging_metrics.MESSAGING_CLIENT_OPERATION_DURATION == "messaging.client.operation.duration"
    assert messaging_metrics.MESSAGING_PROCESS_DURATION == "messaging.process.duration"
    known = {value for name, value in vars(messaging_attributes).items() if name.startswith("MESSAGING_")}

    @runner.job("note")
    def note(payload: None, ctx: Context) -> None: ...

    runner.enqueue(note.job(None))
    [span] = recorded.spans("create default")
    assert {name for name in span.attributes or {} if name.startswith("messaging.")} <= known


class Adds:
    """A plugin that adds meta."""

    def __init__(self, *added: Any) -> None:
        self._added = added

    @hookimpl
    def tallystick_meta(self, records: Any) -> Any:
        """Return the meta."""
        return self._added


@pytest.mark.parametrize(
    ("added", "meta"),
    [
        ([{"a": "new", "b": "new"}], {"a": "own", "b": "new"}),
        ([{"b": "x" * 5_000}], {"a": "own"}),
        ([{}], {"a": "own"}),
        ([], {"a": "own"}),
        ([{"b": 7}], {"a": "own"}),
    ],
)
def test_meta_of_hooks(make_runner: MakeRunner, added: Any, meta: dict[str, str]) -> None:
    """A hook adds meta, and replaces none. If its answer cannot be stored, the job is inserted without it."""
    runner = make_runner()
    runner.add_hooks(Adds(*added))

    @runner.job("note")
    def note(payload: None, ctx: Context) -> None: ...

    assert dict(runner.enqueue(note.job(None), meta={"a": "own"}).record.meta) == meta
