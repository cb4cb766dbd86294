"""The bridge from an event loop to a thread, and back to the loop."""

import asyncio
import threading
from typing import Any

import pytest
from tallystick import Backend, InvalidArgument, Runner, on_calling_loop
from tallystick.async_bridge import hop
from tallystick_memory import MemoryBackend


def test_a_backend_can_await_on_the_calling_loop() -> None:
    """Inside an `a...` call, a backend awaits on the caller's loop from the thread that serves the call."""

    class OnLoop(MemoryBackend):
        def insert(self, records: Any, *, transaction: Any = None, **kwargs: Any) -> Any:
            seen.append((on_calling_loop(transaction), threading.get_ident()))
            return super().insert(records, **kwargs)

    async def transaction() -> int:
        return threading.get_ident()

    async def main() -> None:
        backend: Backend = OnLoop.from_url("memory://")
        with Runner(backend) as runner:
            runner.raw("raw")(lambda payload, ctx: None)
            await runner.aenqueue_raw("raw", b"", transaction=transaction)

    seen: list[tuple[int, int]] = []
    asyncio.run(main())
    [(loop, thread)] = seen
    assert loop == threading.get_ident() != thread


def test_rejected_outside_of_an_async_call() -> None:
    """Outside an `a...` call, in a foreign thread or on the loop's own thread, the call fails and awaits nothing."""

    async def not_awaited() -> None:
        raise AssertionError("it was awaited")

    def assert_rejected() -> None:
        with pytest.raises(InvalidArgument, match=r"'mine' belongs to an event loop.*aenqueue"):
            on_calling_loop(not_awaited, "mine")

    async def back_on_the_loop() -> None:
        assert_rejected()

    async def main() -> None:
        assert_rejected()
        await asyncio.to_thread(assert_rejected)
        await hop(lambda: on_calling_loop(back_on_the_loop))

    assert_rejected()
    asyncio.run(main())


def test_a_cancelled_call_has_ended_on_the_loop_when_it_returns() -> None:
    """When a cancelled call returns, its awaitable has ended; its thread can start no other."""
    events: list[str] = []
    begun, cancelled, finished = asyncio.Event(), threading.Event(), threading.Event()

    async def first() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            events.append("first ended")

    async def second() -> None:
        events.append("second began")

    def call() -> None:
        with pytest.raises(Exception, match="cancelled"):
            on_calling_loop(first)
        cancelled.wait()
        with pytest.raises(Exception, match="cancelled"):
            on_calling_loop(second)
        finished.set()

    async def main() -> None:
        task = asyncio.create_task(hop(call))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        events.append("call ended")
        cancelled.set()
        await asyncio.to_thread(finished.wait)

    asyncio.run(main())
    assert events == ["first ended", "call ended"]


def test_errors_reach_the_caller() -> None:
    """An error raised on the loop reaches the caller unchanged."""

    async def fails() -> None:
        raise KeyError("there")

    async def main() -> None:
        await hop(lambda: on_calling_loop(fails))

    with pytest.raises(KeyError, match="there"):
        asyncio.run(main())
