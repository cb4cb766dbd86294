"""Make blocking calls of async code in threads, and run coroutines from these threads on the loop of the caller.

`async_bridge` imports this module at the first such call: a program without async code does not load asyncio.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError as Abandoned
from contextvars import ContextVar
from typing import Any, TypeVar

from .errors import InvalidArgument, Unavailable
from .messages.safe_repr import safe_repr

T = TypeVar("T")


async def call_in_thread(call: Callable[[], T]) -> T:
    """Make a blocking call in a thread. See `async_bridge.hop`."""
    caller = _Caller(asyncio.get_running_loop())

    def run_in_thread() -> T:
        _caller.set(caller)  # only in the context of this call
        return call()

    try:
        return await asyncio.to_thread(run_in_thread)
    except asyncio.CancelledError:
        await caller.leave()
        raise


def run_on_loop(make: Callable[[], Awaitable[T]], what: object) -> T:
    """Run a coroutine on the event loop of the call that this thread serves. See `async_bridge.on_calling_loop`."""
    caller = _caller.get(None)
    if caller is None or _is_loop():
        raise InvalidArgument(
            f"{safe_repr(what)} belongs to an event loop, and a blocking call cannot use it; await the async variant "
            "of this call on that loop: `await runner.aenqueue(...)`, `await ctx.acomplete(...)`"
        )
    return caller.run(make)


class _Caller:
    """One `a...` call: its loop, and its running tasks there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, make: Callable[[], Awaitable[T]]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(self._tracked(make), self._loop).result()
        except Abandoned as exc:
            raise Unavailable(
                "the call was cancelled on its event loop, so it does nothing more; repeat it if it is still needed"
            ) from exc

    async def _tracked(self, make: Callable[[], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        assert task is not None
        if self._left:
            raise asyncio.CancelledError
        self._tasks.add(task)
        try:
            return await make()
        finally:
            self._tasks.discard(task)

    async def leave(self) -> None:
        """End the running tasks on the loop and start no others, so that only the caller uses the object again."""
        self._left = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


_caller: ContextVar[_Caller] = ContextVar("tallystick_caller")


def _is_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
