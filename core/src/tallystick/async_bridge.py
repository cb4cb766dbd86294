"""Run blocking calls of async code in a thread, and run coroutines from that thread on the caller's event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError as Abandoned
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from .errors import InvalidArgument, Unavailable
from .messages.safe_repr import safe_repr

T = TypeVar("T")
P = ParamSpec("P")
OwnerT = TypeVar("OwnerT")


async def hop(call: Callable[[], T]) -> T:
    """Make a blocking call in a thread. If cancelled, abandon the call, but first end its work on this loop."""
    caller = _Caller(asyncio.get_running_loop())

    def run_in_thread() -> T:
        _caller.set(caller)  # only in the context of this call
        return call()

    try:
        return await asyncio.to_thread(run_in_thread)
    except asyncio.CancelledError:
        await caller.leave()
        raise


def async_variant(
    method: Callable[Concatenate[OwnerT, P], T],
) -> Callable[Concatenate[OwnerT, P], Coroutine[Any, Any, T]]:
    """Return the async variant of a method, which makes the call in a thread, by `hop`.

    Assign it in the same class: `aget = async_variant(get)`. A subclass that overrides the method changes both.
    """
    name = method.__name__

    @wraps(method)
    async def call(self: OwnerT, /, *args: P.args, **kwargs: P.kwargs) -> T:
        bound: Callable[P, T] = getattr(self, name)
        return await hop(lambda: bound(*args, **kwargs))

    call.__name__ = f"__a{name[2:]}" if name.startswith("__") else f"a{name}"
    call.__qualname__ = method.__qualname__.removesuffix(name) + call.__name__
    return call


def on_calling_loop(make: Callable[[], Awaitable[T]], what: object = "this object") -> T:
    """Run a coroutine on the event loop of the `a...` call that this thread serves, and return its result.

    Use it in a backend that accepts objects of an event loop, such as an `AsyncSession`. The call
    `await runner.aenqueue(..., transaction=session)` runs in a thread; this function runs its statements on the loop.

    Args:
        make: Called on the loop; its return value is awaited there. Cancelling the `a...` call cancels it.
        what: The object that belongs to the loop, for the error message.

    Raises:
        InvalidArgument: this thread serves no `a...` call, or it runs an event loop and cannot wait.
    """
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
