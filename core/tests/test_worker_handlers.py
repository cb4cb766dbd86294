"""What a handler may do, and how its attempt ends then."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tallystick import Context, Definition, Failure, JobDiscarded, NewRecord, Record, Runner, State

from .helpers import LONG, MakeRunner, eventually


def define(runner: Runner, raising: type[BaseException], asynchronous: bool) -> Definition[None, None]:
    """Register a handler that raises at its only attempt."""

    def sync(payload: None, ctx: Context) -> None:
        raise raising("seven is odd")

    async def coroutine(payload: None, ctx: Context) -> None:
        await asyncio.sleep(0)
        raise raising("seven is odd")

    return runner.job("raise", max_attempts=1)(coroutine if asynchronous else sync)


def discarded(runner: Runner, id: UUID) -> Record:
    """Return the record of a job once it was discarded."""
    with pytest.raises(JobDiscarded):
        runner.result(id, timeout=LONG)
    return runner.get(id)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("raising", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_raises(make_runner: MakeRunner, raising: type[BaseException], asynchronous: bool) -> None:
    """Whatever a handler raises ends its attempt with that as the error, and the worker goes on in the same place."""
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


@pytest.mark.parametrize("result", ["text", object(), 1.5])
def test_returns_what_is_not_its_type(runner: Runner, result: Any) -> None:
    """A handler that returns what is not its type, or is not JSON, is not called again: the job is discarded."""

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
    """A handler whose result is too large for the store is not called again: the job is discarded."""

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> bytes:
        return bytes(16 * 2**20 + 1)

    runner.start()
    error = discarded(runner, runner.enqueue(raw.job(b"")).id).last_error
    assert error is not None
    assert error.type == "tallystick.errors.PayloadTooLarge"


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff", b'"seven"'])
def test_undecodable_record(make_runner: MakeRunner, broken: bytes) -> None:
    """A record that cannot be decoded is retried later with its error, it alone; its handler is not called."""
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
    """An error whose text no encoding holds is stored as it is."""
    caplog.set_level("CRITICAL", logger="tallystick")  # what is logged is sent between pytest's processes, encoded

    @runner.job("raise", max_attempts=1)
    def raises(payload: None, ctx: Context) -> None:
        raise ValueError("\ud800\0")

    runner.start()
    error = discarded(runner, runner.enqueue(raises.job(None)).id).last_error
    assert isinstance(error, Failure)
    assert error.message == "\ud800\0"


def test_enqueues(runner: Runner) -> None:
    """A handler enqueues other jobs by the current runner."""

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
    """The context tells which job and which attempt this is, and that there is no reason to stop."""
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
