"""Jobs that run in child processes. The tests of isolation put this folder on the path."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

import tallystick
from tallystick import ByException, Context, DiscardJob, Fixed, InvalidArgument, Job, Never, Runner, Snooze, declare

NOW = timedelta(0)


class Connection:
    """A service."""

    is_open = True


class OddError(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


class OddDiscard(DiscardJob):
    """A `DiscardJob` that cannot be pickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


class Known(Exception):
    """An exception that the retry policy knows."""


class Square(Job[int]):
    """A job written as a class."""

    kind = "square"
    isolation = "process"
    number: int

    def work(self, ctx: Context) -> int:
        """Return the square."""
        return self.number**2


send = declare("send", str, int, isolation="process")


@tallystick.handles(send)
def handle_send(payload: str, ctx: Context) -> int:
    """Return the length."""
    return len(payload)


@tallystick.raw("raw", isolation="process")
def raw(payload: bytes, ctx: Context) -> bytes:
    """Return the bytes in reverse."""
    return payload[::-1]


@tallystick.job("pid", isolation="process")
def pid(payload: None, ctx: Context) -> int:
    """Return the process."""
    return os.getpid()


@tallystick.job("facts", isolation="process", meta={"tenant": "acme"})
async def facts(payload: None, ctx: Context) -> list[Any]:
    """Return the context of an async handler."""
    await asyncio.sleep(0)
    return [str(ctx.id), ctx.attempt, dict(ctx.meta), ctx.should_stop, Runner.current().settings.backend]


@tallystick.job("fail", isolation="process", retry=ByException({Known: Fixed(NOW)}, otherwise=Never()))
def fail(how: str, ctx: Context) -> int:
    """Raise an exception."""
    match how:
        case "known" if ctx.attempt == 1:
            raise Known("first")
        case "odd":
            raise OddError("o", "dd")
        case "odd discard":
            raise OddDiscard("no", "more")
        case "discard":
            raise DiscardJob("enough")
        case "snooze" if "snoozed" not in ctx.record.tags:
            raise Snooze(timedelta(hours=1))
        case "exit":
            sys.exit(3)
        case "value":
            raise ValueError("no value")
    return ctx.attempt


@tallystick.job("wrong", isolation="process")
def wrong(payload: None, ctx: Context) -> int:
    """Return a result of another type."""
    return "text"  # type: ignore[return-value]


@tallystick.job("crash", isolation="process", max_attempts=1)
def crash(how: str, ctx: Context) -> None:
    """End the process."""
    match how:
        case "segfault":
            ctypes.string_at(0)
        case "_exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


@tallystick.job("memory", isolation="process", memory_limit=2**30, max_attempts=1)
def memory(size: int, ctx: Context) -> int:
    """Use memory."""
    return len(bytearray(size))


@tallystick.job("hold", isolation="process", max_attempts=1)
def hold(out: str, ctx: Context) -> None:
    """Write the process, and hold the global interpreter lock for an hour."""
    Path(out).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(3_600)


@tallystick.job("wait", isolation="process", max_attempts=1)
def wait(out: str, ctx: Context) -> None:
    """Write the process and its child, and wait for a request to stop."""
    with subprocess.Popen(["sleep", "3600"]) as child:
        Path(out).write_text(f"{os.getpid()} {child.pid}")
        while not ctx.should_stop:
            time.sleep(0.005)
        Path(out).write_text(f"{os.getpid()} {child.pid} {ctx.stop}")
        child.kill()
    ctx.check()


@tallystick.job("await", isolation="process", max_attempts=1)
async def await_(out: str, ctx: Context) -> None:
    """Wait, and write why it was cancelled."""
    Path(out).write_text("began")
    try:
        await asyncio.sleep(3_600)
    finally:
        Path(out).write_text(f"stopped: {ctx.stop}")


@tallystick.job("use", isolation="process")
def use(payload: None, ctx: Context, connection: Connection) -> bool:
    """Use a service."""
    return connection.is_open


@tallystick.job("ause", isolation="process")
async def ause(payload: None, ctx: Context, connection: Connection) -> bool:
    """Use a service."""
    return connection.is_open


@tallystick.job("log", isolation="process")
def log(payload: None, ctx: Context) -> None:
    """Log a message and a traceback."""
    ctx.log.warning("from %s", "the child")
    try:
        int("logged")
    except ValueError:
        logging.getLogger("app").exception("caught", extra={"odd": lambda: None})


@tallystick.job("report", isolation="process", max_attempts=1)
def report(out: str, ctx: Context) -> None:
    """Report progress, once with a wrong value, and wait for a file."""
    with contextlib.suppress(InvalidArgument):
        ctx.progress(2)
    ctx.progress(0.4, "page 40 of 100")
    while not Path(out).exists():
        time.sleep(0.005)
    ctx.progress(1, "done")


@tallystick.job("complete", isolation="process", max_attempts=1)
def complete(payload: None, ctx: Context) -> None:
    """Complete in a transaction."""
    ctx.complete(None, transaction=object())


@tallystick.job("enqueue", isolation="process")
def enqueue(payload: None, ctx: Context) -> str:
    """Enqueue another job."""
    return str(pid.enqueue(None).id)


locale: ContextVar[str] = ContextVar("locale", default="en")


@tallystick.job("greet", isolation="process")
def greet(payload: None, ctx: Context) -> str:
    """Return a carried variable."""
    return locale.get()


@tallystick.job("agreet", isolation="process")
async def agreet(payload: None, ctx: Context) -> str:
    """Return a carried variable."""
    return locale.get()


runner = Runner(poll=timedelta(milliseconds=20), concurrency=2)
runner.carry(locale)


@runner.provide(Connection)
def connection() -> Iterator[Connection]:
    """Provide the service."""
    yield Connection()


runner.include(sys.modules[__name__])
