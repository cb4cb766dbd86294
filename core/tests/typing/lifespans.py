"""Types of the options and methods that follow a job from its caller: unique keys, context variables, lifespans."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from datetime import timedelta
from typing import assert_type

from tallystick import Context, Definition, Runner, UniqueBy, declare, job

locale: ContextVar[str] = ContextVar("locale", default="en")
region: ContextVar[str | None] = ContextVar("region", default=None)
tenant: ContextVar[int] = ContextVar("tenant")
whole: UniqueBy = "payload"


@job("index", unique_by=("page",), unique_until=timedelta(minutes=1), on_conflict="debounce")
def index(payload: dict[str, int], ctx: Context) -> None:
    """Do nothing."""


assert_type(index, Definition[dict[str, int], None])
declare("whole", int, unique_by=whole)
declare("wrong", int, unique_by="page")  # type: ignore[call-overload]  # a single name is no tuple
declare("wrong", int, unique_by=("page",), on_conflict="raise")  # type: ignore[call-overload]  # there is no such policy


async def of_a_runner(runner: Runner) -> None:
    """Carry variables, follow the life of a runner, and make the lifespan of an application."""
    runner.carry(locale)
    runner.carry(region, key="where")
    runner.carry(tenant, dump=str, load=int)
    runner.carry(tenant)  # type: ignore[arg-type]  # a number needs dump and load
    assert_type(runner.wait_stopped(timeout=timedelta(1)), bool)
    assert_type(await runner.await_stopped(), bool)
    assert_type(runner.lifespan(worker=True), Callable[[object], AbstractAsyncContextManager[None]])
