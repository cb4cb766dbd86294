"""Hopping from an event loop to a thread, and back for what belongs to the loop."""

import asyncio
import threading
from typing import Any

import pytest
from tallystick import Backend, InvalidArgument, Runner, on_calling_loop
from tallystick.async_bridge import hop
from tallystick_memory import MemoryBackend


def test_a_backend_can_use_what_belongs_to_the_calling_loop() -> None:
    """Inside an `a...` call it awaits on the loop that called, from the thread that serves the call."""

    class OnLoop(MemoryBackend):
        def insert(self, records: Any, *, transaction: Any = None, **given: Any) -> Any:
            seen.append((on_calling_loop(transaction), threading.get_ident()))
            return super().insert(records, **given)

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


def test_elsewhere_it_is_refused() -> None:
    """Outside of an `a...` call, in a thread of another's making, and on a loop's own thread; nothing is awaited."""

    async def never() -> None:
        raise AssertionError("it was awaited")

    def refused() -> None:
        with pytest.raises(InvalidArgument, match=r"'mine' belongs to an event loop.*aenqueue"):
            on_calling_loop(never, "mine")

    async def back_on_the_loop() -> None:
        refused()

    async def main() -> None:
        refused()
        await asyncio.to_thread(refused)
        await hop(lambda: on_calling_loop(back_on_the_loop))

    refused()
    asyncio.run(main())


def test_a_cancelled_call_has_ended_on_the_loop_when_it_returns() -> None:
    """What it awaited there is cancelled and done with first, and what its thread asks for later is not begun."""
    told: list[str] = []
    begun, cancelled, left = asyncio.Event(), threading.Event(), threading.Event()

    async def first() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append("first ended")

    async def second() -> None:
        told.append("second began")

    def call() -> None:
        with pytest.raises(Exception, match="cancelled"):
            on_calling_loop(first)
        cancelled.wait()
        with pytest.raises(Exception, match="cancelled"):
            on_calling_loop(second)
        left.set()

    async def main() -> None:
        task = asyncio.create_task(hop(call))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told.append("call ended")
        cancelled.set()
        await asyncio.to_thread(left.wait)

    asyncio.run(main())
    assert told == ["first ended", "call ended"]


def test_what_it_raises_comes_back() -> None:
    """An error on the loop is the call's own."""

    async def fails() -> None:
        raise KeyError("there")

    async def main() -> None:
        await hop(lambda: on_calling_loop(fails))

    with pytest.raises(KeyError, match="there"):
        asyncio.run(main())
