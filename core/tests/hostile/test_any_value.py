"""Every parameter of a public name accepts any value, or rejects it with a TallystickError."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import tallystick
from tallystick import (
    Advance,
    AttemptError,
    Backend,
    Beat,
    ByException,
    Call,
    Cancel,
    Changes,
    Claim,
    Complete,
    Context,
    Declaration,
    Definition,
    Discard,
    Enqueue,
    Exponential,
    Failure,
    Filter,
    Fixed,
    Job,
    Meta,
    MeterDelta,
    NewRecord,
    NewSchedule,
    Options,
    Progress,
    ProgressReport,
    Release,
    Retry,
    Runner,
    Settings,
    Snooze,
    State,
    TallystickError,
    batch,
    due_ticks,
    parse_rule,
    tick_id,
    validation,
)
from tallystick.backends import batches
from tallystick.messages.safe_repr import safe_repr
from tallystick_memory import MemoryBackend
from tallystick_sqlite import SqliteBackend

from ..helpers import NOW, SECOND, stored

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


class Broken:
    """An object whose special methods all raise."""

    def __repr__(self) -> str:
        raise LookupError("repr")

    def __eq__(self, other: object) -> bool:
        raise LookupError("eq")

    def __hash__(self) -> int:
        raise LookupError("hash")


class Number(int):
    """A subclass of int, as other libraries have."""


def nested() -> list[Any]:
    """Return a list that contains itself."""
    values: list[Any] = []
    values.append(values)
    return values


VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 2**31, 2**63, 2**70, -(2**70), Number(7), 0.5, -0.0, 1e308, Decimal(7), Decimal("NaN"),
    float("nan"), float("inf"), float("-inf"), Fraction(1, 3), 1j, "", "x", "a\nb", "a\0b", "\ud800", "x" * 100_000,
    "9" * 5_000, b"", b"x", bytearray(b"x"), memoryview(b"x"), [], [None], [[]], ["x"], ("x",), nested(), {}, {"x": 1},
    set(), {"x"}, frozenset({7}), range(3), iter(()), object(), object, int, type, Broken(), Broken, print,
    lambda: None, timedelta.max, timedelta.min, timedelta(0), -SECOND, SECOND, NOW, NOW.replace(tzinfo=None),
    date(2025, 6, 1),
    datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=EAST),
    datetime.max.replace(tzinfo=WEST), UUID(int=0), [UUID(int=0)], State.PENDING, [State.PENDING], "pending",
    Claim(UUID(int=0), 1), [Claim(UUID(int=0), 2**63)], NewRecord(kind="x"), Filter(), stored(), Failure("E", "m"),
    Complete(Claim(UUID(int=0), 1)), Job, ValueError("x"), ..., NotImplemented, pytest, Context,
)  # fmt: skip

CLAIM = Claim(uuid4(), 1)
FAILURE = Failure("E", "m")


def each(make: Callable[..., object], fields: str, **others: Any) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """For each field, yield a name and a call that sets only this field to a given value."""
    name = getattr(make, "__qualname__", "call")
    for field in fields.split():
        yield f"{name} {field}", partial(_call, make, field, others)


def _call(make: Callable[..., object], field: str, others: dict[str, Any], value: object) -> object:
    return make(**{**others, field: value})


def by_position(*functions: Callable[..., object]) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls of functions with one argument."""
    for function in functions:
        yield function.__qualname__, function


def values_of_the_library() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls that construct values."""
    new = (
        "kind payload queue id priority max_attempts run_at unique_key unique_until on_conflict debounce_max tags meta"
    )
    yield from each(NewRecord, new, kind="k")
    yield from each(
        Filter,
        "ids states kinds queues tags error_types error_text workers unique_keys created_since created_until "
        "finished_since finished_until",
    )
    yield from each(Changes, "run_at priority queue")
    yield from each(Failure, "type message traceback", type="E", message="m")
    yield from each(Complete, "claim result", claim=CLAIM)
    yield from each(Retry, "claim run_at error", claim=CLAIM, run_at=SECOND, error=FAILURE)
    yield from each(Discard, "claim error", claim=CLAIM, error=FAILURE)
    yield from each(Release, "claim run_at", claim=CLAIM)
    yield from each(Cancel, "claim")
    yield from each(ProgressReport, "claim fraction message", claim=CLAIM)
    yield from each(Options, "queue priority max_attempts retry timeout tags payload_version aliases keep_result")
    yield from each(Exponential, "base factor cap jitter")
    yield from each(Fixed, "delay")
    yield from each(ByException, "policies otherwise", policies={})
    yield from each(Settings, " ".join(Settings.model_fields))
    yield from by_position(Snooze, Enqueue, Failure.from_json, Definition.of_class, Runner)
    yield from values_of_registers()
    yield "Call definition", lambda value: Call(value, 1)
    yield from each(Definition.of_function, "kind function options", kind="k", function=handler, options=Options())
    yield from each(batch, "kind max wait", kind="k")
    types: dict[str, Any] = {"kind": "k", "payload": int, "result": int, "options": Options()}
    yield from each(Declaration.of_types, " ".join(types), **types)
    yield from each(Definition.raw, "kind function options", kind="k", function=handler, options=Options())


def values_of_registers() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls that construct values of schedules, workers and meters."""
    schedule = "name rule kind payload queue priority max_attempts tags meta unique_key zone start end missed window"
    yield from each(NewSchedule, f"{schedule} declared after", name="s", rule="@daily", kind="k")
    yield from each(Advance, "name revision next_tick ticks paused", name="s", revision=1, next_tick=None)
    beat = {"worker": "w", "host": "h", "pid": 1, "version": "1", "queues": (), "concurrency": 1, "started_at": NOW}
    yield from each(Beat, f"{' '.join(beat)} running busy draining", **beat)
    delta = "completed retried discarded released cancelled waiting running"
    yield from each(MeterDelta, f"minute queue kind {delta}", minute=NOW, queue="q", kind="k")
    yield from by_position(Meta, Meta.from_json, AttemptError.from_json, Progress.from_json)
    yield from each(Changes, "run_at priority queue")
    yield from each(parse_rule, "rule zone start end", rule="@daily")
    rule = parse_rule("@daily")
    yield from by_position(rule.next_tick, rule.last_tick)
    yield from each(rule.ticks, "since until", since=NOW, until=NOW)
    yield from each(tick_id, "schedule tick", schedule="s", tick=NOW)
    due = NewSchedule(name="s", rule="@daily", kind="k", after=NOW - timedelta(days=9)).stored(NOW)
    yield from each(partial(due_ticks, due), "now limit", now=NOW)


def checks() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls of the validators that backends use."""
    for name in ("utc", "due", "limit", "final"):
        yield name, getattr(validation, name)
    for name in ("delay", "name", "names", "positive", "not_negative", "duration"):
        yield name, partial(_check, getattr(validation, name), "what")
    yield "moment", lambda value: validation.moment(value, NOW)
    yield "within", lambda value: validation.within(value, 1, 5, "what")
    for name in ("records", "claims", "outcomes", "ids", "filter"):
        yield name, partial(_check, getattr(batches, name), 5)
    yield "after", batches.after


def _check(check: Callable[..., object], other: object, value: object) -> object:
    return check(value, other)


def handler(payload: int, ctx: Context) -> int:
    """Return the payload."""
    return payload


def calls_of_a_runner(runner: Runner) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls of the runner's methods."""
    job = runner.job("echo")(handler)
    one = job.job(1)
    options = "run_at queue priority max_attempts tags id unique_key unique_until on_conflict debounce_max"
    yield "enqueue job", runner.enqueue
    yield from each(runner.enqueue, options, job=one)
    yield from each(runner.enqueue_in, "delay job", delay=SECOND, job=one)
    yield from each(runner.enqueue_at, "when job", when=NOW, job=one)
    yield from each(runner.enqueue_batch, "jobs run_at queue priority max_attempts tags", jobs=[one])
    yield "enqueue_batch item", lambda value: runner.enqueue_batch([one, value])
    yield from each(lambda **kwargs: runner.enqueue_batch([Enqueue(one, **kwargs)]), options)
    yield from each(runner.enqueue_raw, "kind payload run_at", kind="echo", payload=b"1")
    yield from by_position(runner.get, runner.result, runner.cancel, runner.requeue, runner.delete)
    yield "result timeout", lambda value: runner.result(UUID(int=0), timeout=value)
    yield "job kind", lambda value: runner.job(value)(handler)
    yield "job function", runner.job("other")
    yield "raw function", runner.raw("raw")
    yield from each(lambda **kwargs: runner.job("other", **kwargs), "queue priority max_attempts retry timeout tags")
    yield from by_position(runner.register, runner.on_completed, runner.on_discarded)
    yield "stop grace", lambda value: runner.stop(grace=value)
    yield from each(Runner("memory://").configure, " ".join(Settings.model_fields))


def calls_of_a_backend(backend: Backend) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Yield names and calls of the contract's methods."""
    yield from each(backend.insert, "records now", records=[])
    yield from each(backend.claim, "queues limit worker lease now", queues=["q"], limit=1, worker="w", lease=SECOND)
    yield from each(backend.extend, "claims lease now", claims=[], lease=SECOND)
    yield from each(backend.report_progress, "reports now", reports=[])
    yield from each(backend.settle, "outcomes now", outcomes=[])
    yield from each(backend.rescue, "limit now", limit=1)
    yield from each(backend.get, "ids")
    yield from each(backend.list, "filter limit order after", filter=Filter(), limit=1)
    yield from each(backend.list, "after", filter=Filter(), limit=1, order="run_at")
    yield from each(backend.count, "filter at_most", filter=Filter())
    yield from each(backend.update, "filter changes limit now", filter=Filter(), changes=Changes(priority=1), limit=1)
    yield from each(backend.stats, "now")
    for call in (backend.cancel, backend.requeue):
        yield from each(call, "filter limit now", filter=Filter(), limit=1)
    yield from each(backend.delete, "filter limit", filter=Filter(), limit=1)
    yield from each(backend.purge, "states before limit since kinds except_kinds", states=[], before=NOW, limit=1)
    yield from by_position(backend.pause, backend.resume)
    yield from each(backend.wait, "queues timeout", queues=["q"], timeout=timedelta(0))


def unexpected_errors(calls: Iterator[tuple[str, Callable[[Any], object]]], *, longest: bool = True) -> list[str]:
    """Try every value in every call; return the errors that are not a TallystickError."""
    errors = []
    for name, call in calls:
        for value in VALUES:
            if not longest and isinstance(value, timedelta) and value > timedelta(days=1):
                continue  # a wait this long would not end
            try:
                call(value)
            except TallystickError as exc:
                if len(str(exc)) > 5_000:
                    errors.append(f"{name}: a message of {len(str(exc)):,} characters")
            except Exception as exc:
                errors.append(f"{name} of {type(value).__name__} {safe_repr(value)}: {type(exc).__name__}: {exc}")
    return errors


def test_values() -> None:
    """A constructor accepts any value, or raises a TallystickError with a readable message."""
    assert unexpected_errors(values_of_the_library()) == []


def test_checks() -> None:
    """A validator accepts any value, or raises a TallystickError."""
    assert unexpected_errors(checks()) == []


def test_runner(runner: Runner) -> None:
    """A method of a runner accepts any value, or raises a TallystickError."""
    assert unexpected_errors(calls_of_a_runner(runner), longest=False) == []


@pytest.mark.parametrize(
    "make", [lambda path: MemoryBackend(), lambda path: SqliteBackend.from_url(f"sqlite:///{path}")]
)
def test_backend(make: Callable[[Any], Backend], tmp_path: Any) -> None:
    """A method of the contract accepts any value, or raises a TallystickError."""
    with make(tmp_path / "jobs.db") as backend:
        backend.setup()
        assert unexpected_errors(calls_of_a_backend(backend), longest=False) == []


def test_every_constructor_is_tried() -> None:
    """All public constructors are tried, except those of classes that only carry results."""
    tried = {name.split()[0].split(".")[0] for name, _ in values_of_the_library()} | {"NewRecord"}
    untried = {
        "Backend", "BackendUrl", "Capabilities", "Claim", "Context", "Finding", "Handle", "Inserted", "Job", "Never",
        "Queue", "QueueStats", "Rate", "Record", "Snapshot", "Stats", "Transition", "Hold", "Severity", "State", "Stop",
        "RetryPolicy", "PayloadCodec", "AttemptError", "Due", "JobResult", "Status", "Meter", "Rule", "Running",
            "Schedule", "WorkerInfo", "BatchDefinition", "Throughput", "BatchOptions", "EnqueueOptions", "Progress",
    }  # fmt: skip
    public = {
        name
        for name in tallystick.__all__
        if isinstance(getattr(tallystick, name), type) and not issubclass(getattr(tallystick, name), Exception)
    }
    assert public - untried <= tried
