"""The outcome of an attempt, by how its handler returns or raises."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tallystick import Context, Definition, Failure, JobDiscarded, NewRecord, Record, Runner, State

from ..helpers import LONG, MakeRunner, eventually


def define(runner: Runner, raising: type[BaseException], asynchronous: bool) -> Definition[None, None]:
    """Register a handler that raises, with one attempt."""

    def sync(payload: None, ctx: Context) -> None:
        raise raising("seven is odd")

    async def coroutine(payload: None, ctx: Context) -> None:
        await asyncio.sleep(0)
        raise raising("seven is odd")

    return runner.job("raise", max_attempts=1)(coroutine if asynchronous else sync)


def discarded(runner: Runner, id: UUID) -> Record:
    """Wait until a job is discarded, and return its record."""
    with pytest.raises(JobDiscarded):
        runner.result(id, timeout=LONG)
    return runner.get(id)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("raising", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_raises(make_runner: MakeRunner, raising: type[BaseException], asynchronous: bool) -> None:
    """Any exception of a handler ends its attempt with that error, and its slot works the next job.

    The stored traceback begins in the handler.
    """
    runner = make_runner(concurrency=1)
    definition = define(runner, raising, asynchronous)
    first, second = runner.enqueue(definition.job(None)), runner.enqueue(definition.job(None))
    runner.start()
    for handle in (first, second):
        error = discarded(runner, handle.id).last_error
        assert error is not None
        assert error.type.endswith(raising.__name__)
        assert error.message == "seven is odd"
        assert "in sync" in error.traceback or "in coroutine" in error.traceback
        assert error.traceback.count('File "') == 1


@pytest.mark.parametrize("result", ["text", object(), 1.5])
def test_result_of_another_type(runner: Runner, result: Any) -> None:
    """If a handler returns a value of the wrong type or one that is not JSON, its job is discarded without a retry."""

    @runner.job("sync")
    def sync(payload: None, ctx: Context) -> int:
        return result  # type: ignore[no-any-return]  # wrong on purpose

    @runner.job("async")
    async def coroutine(payload: None, ctx: Context) -> int:
        return result  # type: ignore[no-any-return]  # wrong on purpose

    runner.start()
    for definition in (sync, coroutine):
        error = discarded(runner, runner.enqueue(definition.job(None)).id).last_error
        assert error is not None
        assert error.type == "tallystick.errors.InvalidResult"
        assert error.message.startswith("the handler ran and returned, but its result cannot be stored")
        assert f"the result of {definition.kind!r}" in error.message


def test_result_is_too_large(runner: Runner) -> None:
    """If a handler's result is too large for the store, its job is discarded without a retry."""

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> bytes:
        return bytes(16 * 2**20 + 1)

    runner.start()
    error = discarded(runner, runner.enqueue(raw.job(b"")).id).last_error
    assert error is not None
    assert error.type == "tallystick.errors.PayloadTooLarge"


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff", b'"seven"'])
def test_undecodable_record(make_runner: MakeRunner, broken: bytes) -> None:
    """If a payload cannot be decoded, only its job is retried later, with the error; its handler is not called."""
    runner = make_runner(concurrency=1)
    worked: list[int] = []

    @runner.job("sync")
    def sync(payload: int, ctx: Context) -> None:
        worked.append(payload)

    @runner.job("async")
    async def coroutine(payload: int, ctx: Context) -> None:
        worked.append(payload)

    records = [NewRecord(kind=kind, payload=payload) for kind in ("sync", "async") for payload in (b"1", broken, b"2")]
    runner.backend.insert(records)
    runner.start()
    eventually(lambda: runner.snapshot().completed == 4)
    assert sorted(worked) == [1, 1, 2, 2]
    for record in (records[1], records[4]):
        stored = runner.get(record.id)
        assert (stored.state, stored.attempt, stored.max_attempts) == (State.RETRYING, 1, 20)
        assert stored.run_at > stored.updated_at
        assert stored.last_error is not None
        assert stored.last_error.type == "tallystick.errors.InvalidPayload"


def test_unprintable_error(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """An error whose text cannot be encoded is stored unchanged."""
    caplog.set_level("CRITICAL", logger="tallystick")  # xdist encodes log records

    @runner.job("raise", max_attempts=1)
    def raises(payload: None, ctx: Context) -> None:
        raise ValueError("\ud800\0")

    runner.start()
    error = discarded(runner, runner.enqueue(raises.job(None)).id).last_error
    assert isinstance(error, Failure)
    assert error.message == "\ud800\0"


def test_enqueues(runner: Runner) -> None:
    """A handler can enqueue jobs with the current runner."""

    @runner.job("child")
    def child(payload: int, ctx: Context) -> int:
        return payload + 1

    @runner.job("parent")
    def parent(payload: int, ctx: Context) -> str:
        return str(Runner.current().enqueue(child.job(payload), unique_key=f"{ctx.id}").id)

    runner.start()
    runner.result(runner.enqueue(parent.job(1)), timeout=LONG)
    eventually(lambda: runner.snapshot().completed == 2)


def test_context(runner: Runner) -> None:
    """The context has the job's id, kind, queue, attempt and record, and no reason to stop."""
    seen: list[Context] = []

    @runner.job("look", queue="looks")
    def look(payload: None, ctx: Context) -> None:
        ctx.check()
        seen.append(ctx)

    handle = runner.enqueue(look.job(None))
    runner.start()
    runner.result(handle.id, timeout=LONG)
    [ctx] = seen
    assert (ctx.id, ctx.kind, ctx.queue, ctx.attempt) == (handle.id, "look", "looks", 1)
    assert ctx.record.claim == (handle.id, 1)
    assert ctx.record.worker == runner.settings.worker
    assert not ctx.should_stop
