"""Jobs that are defined apart from a runner."""

import asyncio
from datetime import timedelta
from types import ModuleType
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel
from tallystick import (
    AlreadyStarted,
    Context,
    DefinitionError,
    DuplicateKind,
    Filter,
    InvalidArgument,
    InvalidPayload,
    Job,
    NoCurrentRunner,
    NoSuchMethod,
    Runner,
    UnknownKind,
    declare,
    handles,
    job,
    raw,
)

from ..helpers import LONG, MakeRunner

T = TypeVar("T")


class Email(BaseModel):
    """A payload."""

    to: str


class Greet(Job[int]):
    """A job for producers."""

    kind = "greet"
    queue = "greetings"
    name: str


class GreetHandler(Greet):
    """Its handler, which only the worker imports."""

    def work(self, ctx: Context) -> int:
        """Return the length of the name."""
        return len(self.name)


@job("emails:count", queue="emails")
def count(payload: list[str], ctx: Context) -> int:
    """Return the number of strings."""
    return len(payload)


@raw("emails:reverse")
def reverse(payload: bytes, ctx: Context) -> bytes:
    """Reverse the bytes."""
    return payload[::-1]


send = declare("emails:send", Email, int, queue="emails", max_attempts=7)


@handles(send, timeout=timedelta(minutes=1))
def send_email(payload: Email, ctx: Context) -> int:
    """Return the length of the address."""
    return len(payload.to)


def module_of(*values: object) -> ModuleType:
    """Return a module with these global names."""
    module = ModuleType("jobs")
    vars(module).update({f"name_{number}": value for number, value in enumerate(values)})
    return module


@pytest.fixture
def started(make_runner: MakeRunner) -> Runner:
    """Return a running runner that has all jobs of this module."""
    runner = make_runner()
    runner.include(module_of(count, reverse, send, send_email, Greet, GreetHandler))
    runner.start()
    return runner


def test_function(started: Runner) -> None:
    """A function that `job` defined runs once a runner has registered it."""
    assert started.result(started.enqueue(count.job(["a", "b"])), timeout=LONG) == 2
    assert started.result(started.enqueue(reverse.job(b"ab")), timeout=LONG) == b"ba"
    assert count([], Context(started.enqueue(count.job([])).record)) == 0


def test_one_definition_in_two_runners(started: Runner, make_runner: MakeRunner) -> None:
    """Several runners can register one definition, and one runner can do so twice."""
    other = make_runner()
    assert other.register(count) is count
    assert other.register(count) is count
    assert other.enqueue(count.job(["a"])).record.queue == "emails"


def test_enqueue_uses_the_current_runner(started: Runner) -> None:
    """`enqueue` of a definition, a declaration or a job stores it with the current runner, with options."""
    handle = count.enqueue(["a"], priority=3)
    assert (started.result(handle, timeout=LONG), started.get(handle).priority) == (1, 3)
    assert started.result(send.enqueue(Email(to="abc")), timeout=LONG) == 3
    assert started.result(Greet(name="Ada").enqueue(), timeout=LONG) == 3
    late = count.enqueue(["a"], run_at=timedelta(days=1))
    assert late.record.run_at - late.record.created_at == timedelta(days=1)


def test_enqueue_in_a_handler(started: Runner, make_runner: MakeRunner) -> None:
    """In a handler, `enqueue` uses the runner of the handler, even if others are open."""
    other = make_runner()
    _ = other.backend
    started.stop()

    @started.job("chain")
    def chain(payload: None, ctx: Context) -> str:
        return str(count.enqueue(["a"]).id)

    started.start()
    stored = started.result(started.enqueue(chain.job(None)), timeout=LONG)
    assert stored in {str(record.id) for record in started.backend.list(Filter(), limit=100)}
    with pytest.raises(NoCurrentRunner, match="2 runners are open"):
        count.enqueue(["a"])


def test_aenqueue(started: Runner) -> None:
    """`aenqueue` is the async variant."""

    async def all_three() -> list[Any]:
        handles = [await count.aenqueue(["a"]), await send.aenqueue(Email(to="ab")), await Greet(name="Ada").aenqueue()]
        return [await started.aresult(handle, timeout=LONG) for handle in handles]

    assert asyncio.run(all_three()) == [1, 2, 3]


def test_producer_without_handlers(started: Runner, make_runner: MakeRunner) -> None:
    """A runner without registered jobs enqueues declared jobs, with their options and validation, and reads results."""
    producer = make_runner(started.backend)
    email, greeting = producer.enqueue(send.job(Email(to="abc"))), producer.enqueue(Greet(name="Ada"))
    assert (email.record.queue, email.record.max_attempts, greeting.record.queue) == ("emails", 7, "greetings")
    assert producer.result(email, timeout=LONG) == 3
    assert producer.result(greeting.id, timeout=LONG) == 3
    with pytest.raises(InvalidPayload, match="'emails:send'"):
        producer.enqueue(send.job(7))  # type: ignore[arg-type]  # wrong on purpose


def test_reads_results_of_registered_declarations(started: Runner, make_runner: MakeRunner) -> None:
    """A producer that registers a declaration, or includes it, reads results by id and enqueues encoded payloads."""
    ids = [started.enqueue(send.job(Email(to="abc"))).id, started.enqueue(Greet(name="Ada")).id]
    producer = make_runner(started.backend)
    producer.register(send)
    producer.include(module_of(Greet))
    assert [producer.result(id, timeout=LONG) for id in ids] == [3, 3]
    assert producer.result(producer.enqueue_raw("emails:send", b'{"to":"ab"}'), timeout=LONG) == 2
    assert dict(producer.definitions) == {}


def test_result_without_a_type(make_runner: MakeRunner) -> None:
    """Without a declared result type, a result is any JSON value."""
    runner = make_runner()
    anything = declare("anything", int)

    @runner.handles(anything)
    def handle(payload: int, ctx: Context) -> dict[str, int]:
        return {"number": payload}

    runner.start()
    assert runner.result(runner.enqueue(anything.job(1)), timeout=LONG) == {"number": 1}


def test_options_of_a_handler() -> None:
    """A handler has the declared options, except those that it overrides."""
    assert (send_email.options.queue, send_email.options.max_attempts) == ("emails", 7)
    assert (send.options.timeout, send_email.options.timeout) == (None, timedelta(minutes=1))


def test_not_registered(make_runner: MakeRunner) -> None:
    """A definition with a handler must be registered before it can be enqueued, and the error says how."""
    runner = make_runner()
    with pytest.raises(UnknownKind, match=r"'emails:count' is not registered.*runner\.register\(count\)"):
        runner.enqueue(count.job(["a"]))
    with pytest.raises(UnknownKind, match="GreetHandler is not registered"):
        runner.enqueue(GreetHandler(name="Ada"))


def test_kind_of_another_definition(make_runner: MakeRunner) -> None:
    """A declaration whose kind belongs to an unrelated definition is rejected."""
    runner = make_runner()
    runner.job("emails:send")(count.handler)
    runner.job("greet")(count.handler)
    with pytest.raises(UnknownKind, match="'emails:send'"):
        runner.enqueue(send.job(Email(to="a")))
    with pytest.raises(UnknownKind, match="Greet is not registered"):
        runner.enqueue(Greet(name="Ada"))
    with pytest.raises(DuplicateKind, match="'emails:send'"):
        runner.register(send_email)


def test_register_after_start(started: Runner) -> None:
    """A running runner accepts no new definition, but it accepts those that it has, and declarations."""

    @job("new")
    def new(payload: None, ctx: Context) -> None: ...

    with pytest.raises(AlreadyStarted, match="'new'"):
        started.register(new)
    started.include(module_of(count, send, GreetHandler))


class Generics(Job[T], Generic[T]):
    """A base class with a kind."""

    kind = "generic"
    value: T


class Kindless(Job[None]):
    """A base class without a kind."""


def test_include_leaves_out_base_classes(make_runner: MakeRunner) -> None:
    """`include` registers each job of a module once, and leaves out other names and classes that are not jobs yet."""
    runner = make_runner()
    runner.include(module_of(count, count, GreetHandler, Generics, Kindless, Job, 7, "text", Email))
    assert set(runner.definitions) == {"emails:count", "greet"}


def test_include_rejects_other_values(make_runner: MakeRunner) -> None:
    """`include` takes a module that has jobs."""
    with pytest.raises(DefinitionError, match="jobs has no jobs"):
        make_runner().include(module_of(7))
    with pytest.raises(InvalidArgument, match="must be an imported module"):
        make_runner().include("app.jobs")  # type: ignore[arg-type]  # wrong on purpose


def test_class_without_work_has_no_worker(make_runner: MakeRunner) -> None:
    """A class without `work` cannot be registered, because it has no handler."""
    with pytest.raises(DefinitionError, match="Greet has no work method, so no worker can run it"):
        make_runner().register(Greet)


@pytest.mark.parametrize("declaration", [count, Greet, "emails:send"], ids=["definition", "class", "kind"])
def test_handles_needs_a_declaration(declaration: Any) -> None:
    """Only a declaration gets a handler by `handles`."""
    with pytest.raises(DefinitionError, match="cannot have a handler"):
        handles(declaration)


@pytest.mark.parametrize(
    ("decorate", "arguments", "options", "message"),
    [
        (job, [count.handler], {}, r'write @job\("count"\)'),
        (raw, [count.handler], {}, r'write @raw\("count"\)'),
        (job, [], {}, r'write @job\("generate"\)'),
        (job, ["x"], {"colour": "red"}, "no option 'colour'"),
        (handles, [send], {"colour": "red"}, "no option 'colour'"),
        (declare, ["x", object()], {}, "pydantic cannot handle"),
        (handles(send), [lambda: None], {}, "two arguments"),
    ],
)
def test_misuse(decorate: Any, arguments: list[Any], options: dict[str, Any], message: str) -> None:
    """A wrong use of a decorator is an error that says what to write."""
    with pytest.raises(DefinitionError, match=message):
        decorate(*arguments, **options)


def test_methods_of_other_libraries() -> None:
    """A declaration names our equivalent of a method of another library."""
    with pytest.raises(NoSuchMethod, match=r"runner\.enqueue\(declaration\.job"):
        _ = send.delay  # type: ignore[attr-defined]  # wrong on purpose


def test_queues(started: Runner) -> None:
    """A runner pauses and resumes queues, and counts jobs."""
    started.pause("emails")
    handle = started.enqueue(count.job(["a"]))
    assert [(queue.name, queue.paused) for queue in started.queues()] == [("emails", True)]
    assert started.stats().by_queue["emails"].paused
    started.resume("emails")
    assert started.result(handle, timeout=LONG) == 1
    assert started.stats().total == 1

    async def asynchronous() -> tuple[bool, int]:
        await started.apause("emails")
        [queue] = await started.aqueues()
        await started.aresume("emails")
        return queue.paused, (await started.astats()).total

    assert asyncio.run(asynchronous()) == (True, 1)
