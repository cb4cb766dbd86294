"""Features of the runner on each backend."""

import asyncio
import os
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from threading import Event, Semaphore
from uuid import uuid4

import pytest
from jobs.isolated import isolated
from pydantic import BaseModel
from support import PATIENCE, eventually
from tallystick import (
    Context,
    Filter,
    Fixed,
    Job,
    NewRecord,
    Outcome,
    Record,
    Runner,
    State,
    Status,
    declare,
    handles,
    job,
    open_backend,
)

SOON = timedelta(seconds=PATIENCE)


class Email(BaseModel):
    """A payload."""

    to: str


class Greet(Job[int]):
    """A job for producers."""

    kind = "greet"
    name: str


class GreetHandler(Greet):
    """Its handler."""

    def work(self, ctx: Context) -> int:
        """Return the length of the name."""
        return len(self.name)


@job("count", queue="numbers")
async def count(payload: list[str], ctx: Context) -> int:
    """Return the number of strings."""
    return len(payload)


send = declare("send", Email, int)


@handles(send)
def send_email(payload: Email, ctx: Context) -> int:
    """Return the length of the address."""
    return len(payload.to)


@pytest.fixture
def runner(url: str) -> Iterator[Runner]:
    """Return a runner on each backend."""
    with Runner(url, poll=timedelta(milliseconds=50)) as runner:
        yield runner


def test_a_producer_without_handlers(url: str, runner: Runner) -> None:
    """A second runner enqueues declared jobs, without their handlers, and reads typed results."""
    for handler in (count, send_email):
        runner.register(handler)
    runner.register(GreetHandler)
    runner.start()
    shared = runner.backend if url == "memory://" else open_backend(url)
    with Runner(shared) as producer:
        email, greeting = producer.enqueue(send.job(Email(to="abc"))), producer.enqueue(Greet(name="Ada"))
        assert [producer.result(handle, timeout=SOON) for handle in (email, greeting)] == [3, 3]
    if shared is not runner.backend:
        shared.close()
    assert runner.result(count.enqueue(["a"]), timeout=SOON) == 1


def test_queues_of_a_runner(runner: Runner) -> None:
    """A runner pauses and resumes a queue, and counts its jobs."""
    runner.register(count)
    runner.pause("numbers")
    runner.start()
    handle = runner.enqueue(count.job(["a"]))
    assert [(queue.name, queue.paused) for queue in runner.queues()] == [("numbers", True)]
    assert (runner.stats().total, runner.stats().by_queue["numbers"].due) == (1, 1)
    runner.resume("numbers")
    assert runner.result(handle, timeout=SOON) == 1


def test_old_payloads_and_former_kinds(runner: Runner) -> None:
    """A worker runs jobs that an older program stored: with another payload, and under another kind."""

    @runner.job("emails:send", payload_version=2, aliases=("send",))
    def send(payload: Email, ctx: Context) -> str:
        return f"{ctx.kind} {payload.to}"

    send.upgrade_from(1)(lambda old: {"to": old["address"]})
    old = [NewRecord(kind=kind, payload=b'{"address": "a"}') for kind in ("send", "emails:send")]
    stored = [inserted.record.id for inserted in runner.backend.insert(old)]
    stored.append(runner.enqueue(send.job(Email(to="b"))).id)
    runner.start()
    assert [runner.result(id, timeout=SOON) for id in stored] == ["send a", "emails:send a", "emails:send b"]


def test_answers_about_results(runner: Runner) -> None:
    """Several jobs are awaited at once; expired, never stored, not finished and discarded are different answers."""

    @runner.job("invert", max_attempts=1)
    def invert(number: int, ctx: Context) -> float:
        return 1 / number

    @runner.job("brief", keep_result=timedelta(0))
    def brief(number: int, ctx: Context) -> int:
        return number

    jobs = runner.enqueue_batch([invert.job(4), invert.job(0), brief.job(1)])
    later = runner.enqueue(invert.job(1), run_at=timedelta(hours=1))
    runner.start()
    results = runner.wait_for_all(jobs, timeout=SOON)
    assert [result.status for result in results] == [Status.COMPLETED, Status.DISCARDED, Status.EXPIRED]
    assert results[0].value == 0.25
    assert runner.wait_for(later, timeout=timedelta(0)).status is Status.NOT_FINISHED
    assert runner.wait_for(uuid4()).status is Status.NOT_FOUND


def test_batches(runner: Runner) -> None:
    """One call works many jobs, and each has a result or an error of its own."""
    calls: list[int] = []

    @runner.batch("index", max=50, wait=timedelta(milliseconds=100), max_attempts=1)
    def index(numbers: list[int], contexts: list[Context]) -> list[int | Exception]:
        calls.append(len(numbers))
        return [number or ValueError("zero") for number in numbers]

    jobs = runner.enqueue_batch([index.job(number) for number in range(100)])
    runner.start()
    first, *others = runner.wait_for_all(jobs, timeout=SOON)
    assert (first.status, [result.value for result in others]) == (Status.DISCARDED, list(range(1, 100)))
    assert (sum(calls), max(calls) <= 50, len(calls) < 20) == (100, True, True)


def test_callbacks(runner: Runner) -> None:
    """Each event of a job calls its callbacks, of the runner and of the kind, with the exception."""
    seen: list[str] = []

    @runner.job("fail", max_attempts=2, retry=Fixed(timedelta(0)))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    for event in ("retried", "discarded"):

        def record_call(record: Record, outcome: Outcome, exception: BaseException | None, event: str = event) -> None:
            seen.append(f"{event} {type(exception).__name__}")

        getattr(runner, f"on_{event}")(kind=fail)(record_call)
    runner.on_enqueued(lambda record: seen.append("enqueued"))
    runner.on_started(lambda ctx: seen.append(f"started {ctx.attempt}"))
    runner.on_cancelled(lambda record, outcome: seen.append("cancelled"))
    runner.cancel(runner.enqueue(fail.job(None), run_at=timedelta(hours=1)))
    job = runner.enqueue(fail.job(None))
    runner.start()
    assert runner.wait_for(job, timeout=SOON).status is Status.DISCARDED
    runner.stop()
    assert seen[:3] == ["enqueued", "cancelled", "enqueued"]
    assert sorted(seen[3:]) == ["discarded ValueError", "retried ValueError", "started 1", "started 2"]


class Connection:
    """A service."""

    open = True


def test_services(runner: Runner) -> None:
    """A handler takes services by annotation, which are closed after each attempt."""
    closed: list[bool] = []

    @runner.provide(Connection)
    def connection() -> Iterator[Connection]:
        connection = Connection()
        yield connection
        connection.open = False
        closed.append(True)

    @runner.job("use")
    def use(payload: None, ctx: Context, connection: Connection) -> bool:
        return connection.open

    @runner.job("use_async")
    async def use_async(payload: None, ctx: Context, connection: Connection) -> bool:
        return connection.open

    runner.start()
    jobs = [runner.enqueue(use.job(None)), runner.enqueue(use_async.job(None))]
    assert [result.value for result in runner.wait_for_all(jobs, timeout=SOON)] == [True, True]
    runner.stop()
    assert closed == [True, True]


class Inverted:
    """A codec whose bytes are not JSON and not text."""

    def encode(self, data: bytes, kind: str) -> bytes:
        """Return all bits inverted, after a mark."""
        return b"\x00" + bytes(255 - byte for byte in data)

    def decode(self, data: bytes, kind: str) -> bytes:
        """Return the original bytes."""
        return bytes(255 - byte for byte in data[1:])


def test_a_codec_and_a_runners_defaults(url: str) -> None:
    """The store keeps the bytes of the codec, and a job without options gets those of the runner."""
    poll = timedelta(milliseconds=50)
    with Runner(
        url, poll=poll, codec=Inverted(), max_attempts=2, retry=Fixed(timedelta(0)), max_payload_bytes=100
    ) as runner:
        failed: list[str] = []

        @runner.job("secret")
        def secret(payload: str, ctx: Context) -> str:
            if payload == "fail":
                failed.append(payload)
                raise ValueError(ctx.attempt)
            return payload * 2

        good, bad = runner.enqueue_batch([secret.job("abc"), secret.job("fail")])
        runner.start()
        assert runner.result(good, timeout=SOON) == "abcabc"
        assert runner.wait_for(bad, timeout=SOON).status is Status.DISCARDED
        stored = runner.get(good)
        assert (stored.payload, stored.result) == (Inverted().encode(b'"abc"', ""), Inverted().encode(b'"abcabc"', ""))
        assert failed == ["fail"] * 2


def test_a_cancellation_reaches_a_running_handler(url: str) -> None:
    """Sync and async handlers stop long before their lease of an hour is extended."""
    hour = timedelta(hours=1)
    with Runner(url, poll=timedelta(milliseconds=50), lease=hour, maintenance=hour) as runner:
        begun, ended = Semaphore(0), Event()

        @runner.job("block")
        def block(payload: None, ctx: Context) -> None:
            begun.release()
            while not ctx.should_stop and not ended.wait(0.01):
                pass
            ctx.check()

        @runner.job("block_async")
        async def block_async(payload: None, ctx: Context) -> None:
            begun.release()
            await asyncio.Event().wait()

        jobs = [runner.enqueue(block.job(None)), runner.enqueue(block_async.job(None))]
        runner.start()
        try:
            for _ in jobs:
                assert begun.acquire(timeout=PATIENCE)
            runner.cancel(Filter(ids=[job.id for job in jobs]))
            results = runner.wait_for_all(jobs, timeout=SOON)
            assert [result.status for result in results] == [Status.CANCELLED] * 2
        finally:
            ended.set()


def test_unique_by_fields_of_the_payload(runner: Runner) -> None:
    """Two jobs with equal values of the chosen fields are one job, by each policy."""

    @runner.job("skip", unique_by=("to",))
    def skip(payload: Email, ctx: Context) -> None: ...

    @runner.job("replace", unique_by="payload", on_conflict="replace")
    def replace(payload: list[int], ctx: Context) -> None: ...

    @runner.job("debounce", unique_by=("to",), on_conflict="debounce", unique_until="started")
    def debounce(payload: Email, ctx: Context) -> None: ...

    jobs = [skip.job(Email(to="a")), replace.job([1]), debounce.job(Email(to="a"))]
    first = [runner.enqueue(job, run_at=timedelta(hours=1)) for job in jobs]
    again = [runner.enqueue(job, run_at=timedelta(hours=2)) for job in jobs]
    assert [handle.id for handle in again] == [handle.id for handle in first]
    assert [handle.applied for handle in again] == [None, "replace", "debounce"]
    assert runner.get(again[2]).run_at > runner.get(again[1]).run_at
    assert not runner.enqueue(skip.job(Email(to="b"))).duplicate


locale: ContextVar[str] = ContextVar("locale", default="en")


def test_handlers_see_context_variables_of_the_enqueue(runner: Runner) -> None:
    """A carried variable has its value in sync and async handlers; other jobs see its default."""
    runner.carry(locale)

    @runner.job("sync")
    def sync(payload: None, ctx: Context) -> str:
        return locale.get()

    @runner.job("async")
    async def coroutine(payload: None, ctx: Context) -> str:
        return locale.get()

    plain = [runner.enqueue(sync.job(None)), runner.enqueue(coroutine.job(None))]
    token = locale.set("de")
    german = [runner.enqueue(sync.job(None)), runner.enqueue(coroutine.job(None))]
    locale.reset(token)
    runner.start()
    results = runner.wait_for_all([*plain, *german], timeout=SOON)
    assert [result.value for result in results] == ["en", "en", "de", "de"]


def test_lifespan_of_an_application(url: str) -> None:
    """An application opens its runner, runs a worker and stops it, each time it starts."""
    runner = Runner(url, poll=timedelta(milliseconds=50))
    runner.register(count)

    async def application() -> int:
        async with runner.lifespan(worker=True)(object()):
            assert not await runner.await_stopped(timeout=timedelta(0))
            return await runner.aresult(await runner.aenqueue(count.job(["a"])), timeout=SOON)

    assert [asyncio.run(application()) for _ in range(2)] == [1, 1]
    assert runner.wait_stopped()


def test_isolation(runner: Runner) -> None:
    """A handler in a child process returns its result, fails by a crash, and is killed when its job is cancelled."""
    runner.register(isolated)
    good, bad, hanging = runner.enqueue_batch([isolated.job(how) for how in ("work", "crash", "hang")])
    runner.start()
    assert runner.result(good, timeout=SOON) != os.getpid()
    eventually(lambda: runner.get(hanging).state is State.RUNNING)
    runner.cancel(hanging)
    assert runner.wait_for(hanging, timeout=SOON).status is Status.CANCELLED
    assert runner.wait_for(bad, timeout=SOON).status is Status.DISCARDED
    errors = [each.error for each in runner.get(bad).errors]
    assert {(error.type.rpartition(".")[2], "exited with 7" in error.message) for error in errors} == {
        ("ProcessCrashed", True)
    }
