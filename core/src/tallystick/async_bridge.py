"""Run blocking calls of async code in a thread, and run coroutines from that thread on the caller's event loop."""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")
P = ParamSpec("P")
OwnerT = TypeVar("OwnerT")


async def hop(call: Callable[[], T]) -> T:
    """Make a blocking call in a thread. If cancelled, abandon the call, but first end its work on this loop."""
    from .calling_loop import call_in_thread  # noqa: PLC0415  # see there

    return await call_in_thread(call)


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
    from .calling_loop import run_on_loop  # noqa: PLC0415  # see there

    return run_on_loop(make, what)


def running_loop() -> "AbstractEventLoop | None":
    """Return the event loop that runs in this thread, at the cost of a call. While asyncio is not loaded, none runs."""
    get = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)  # absent while another thread imports asyncio
    return get() if get else None
