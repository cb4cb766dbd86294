"""Between an event loop and the threads that serve it: an `a...` call hops to one, and what is the loop's hops back."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError as Abandoned
from contextvars import ContextVar
from typing import Any, TypeVar

from .errors import InvalidArgument, Unavailable
from .safe_repr import safe_repr

T = TypeVar("T")


async def hop(call: Callable[[], T]) -> T:
    """Make a blocking call in a thread. Cancelled, leave it there; but end first what it does on this loop."""
    caller = _Caller(asyncio.get_running_loop())

    def made() -> T:
        _caller.set(caller)  # in the context of this one hop
        return call()

    try:
        return await asyncio.to_thread(made)
    except asyncio.CancelledError:
        await caller.leave()
        raise


def on_calling_loop(make: Callable[[], Awaitable[T]], what: object = "this object") -> T:
    """Await something on the event loop whose `a...` call this thread serves, and return its answer.

    For backends that are given what belongs to an event loop, such as an `AsyncSession`: `await
    runner.aenqueue(..., transaction=session)` hops to a thread, and its statements hop back by this.

    Args:
        make: Called on the loop; what it returns is awaited there. It is cancelled with the `a...` call.
        what: What belongs to the loop, for the message.

    Raises:
        InvalidArgument: no such call is under way here, or this is an event loop's own thread, which cannot wait.
    """
    caller = _caller.get(None)
    if caller is None or _is_loop():
        raise InvalidArgument(
            f"{safe_repr(what)} belongs to an event loop, which a blocking call cannot use; await the twin of the call "
            "that begins with `a`, on that loop: `await runner.aenqueue(...)`, `await ctx.acomplete(...)`"
        )
    return caller.run(make)


class _Caller:
    """One `a...` call: its loop, and what it has under way there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, make: Callable[[], Awaitable[T]]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(self._tracked(make), self._loop).result()
        except Abandoned as exc:
            raise Unavailable("the call was cancelled on its event loop; nothing more is done in its name") from exc

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
        """Begin nothing more on the loop, and end what is under way, so that the object is the caller's alone again."""
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
