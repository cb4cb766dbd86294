"""The program of a child process: `python -m tallystick.isolation.child SOCKET LIFELINE`.

The main thread runs handlers, one at a time. A second thread reads the messages of the worker.
"""

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, cast

from ..contract.progress import checked
from ..contract.records import Record
from ..errors import Unsupported
from ..jobs.context import Context, Stop
from ..jobs.control import Stopped
from ..jobs.current import made_current
from ..jobs.definition import Definition
from ..user_warnings import KindFormatWarning
from . import inside
from .child_log import forward_logs
from .exceptions import raised
from .messages import Connection, Raised, Reported, Returned, Stage, Started, StopAsked, Work


class ChildContext(Context):
    """The context of a handler in a child process."""

    __slots__ = ("_connection",)

    def __init__(self, record: Record, connection: Connection) -> None:
        super().__init__(record)
        self._connection = connection

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Send a report to the worker, which stores it."""
        report = Reported(*checked(fraction, message))
        with contextlib.suppress(OSError):  # without the worker, this process ends
            self._connection.send(report)

    def complete(self, result: Any, *, transaction: object) -> Any:
        """Reject the call, since this process has neither the claim nor the store of the worker."""
        raise Unsupported(
            f'job {self.id} runs in a child process (isolation="process"), which cannot complete it in a transaction; '
            "return the result, or remove this option from the kind"
        )


class Child:
    """Runs the attempts that the worker sends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._works: SimpleQueue[Work | None] = SimpleQueue()
        self._lock = Lock()
        self._unfinished = 0
        self._context: ChildContext | None = None
        self._cancel: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Run attempts until the worker closes the connection."""
        Thread(target=self._listen, name="tallystick-child", daemon=True).start()
        while (work := self._works.get()) is not None:
            self._connection.send(copy_context().run(self._reply, work))
            with self._lock:
                self._unfinished -= 1

    def _listen(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                match self._connection.receive():
                    case Work() as work:
                        with self._lock:
                            self._unfinished += 1
                        self._works.put(work)
                    case StopAsked(why):
                        self._stop(why)
        if self._unfinished:
            end_group()
        self._works.put(None)

    def _stop(self, why: Stop) -> None:
        with self._lock:
            if self._context is not None:
                self._context.stop = why
                self._cancel()

    def _reply(self, work: Work) -> Returned | Raised:
        """Run an attempt, and return its result or its exception. Memory is limited only in between."""
        stage: Stage = "handler"
        try:
            definition, runner = _load(work)
            with limited_memory(work.memory_limit):
                stage = "payload"
                payload = definition.decode(work.payload, work.record.meta)
                stage = "handler"
                self._connection.send(Started())
                result = self._call(definition, runner, payload, ChildContext(work.record, self._connection))
                stage = "result"
                return Returned(definition.encode_result(result))
        except BaseException as exc:  # SystemExit ends the attempt, as in a thread of the worker
            return raised(stage, exc)

    def _call(self, definition: Definition[Any, Any], runner: Any, payload: Any, context: ChildContext) -> Any:
        with self._lock:
            self._context = context
        try:
            with contextlib.nullcontext() if runner is None else made_current(runner):
                if runner is not None:
                    runner._observers.restore_variables(context)  # noqa: SLF001  # its own
                if definition.is_async:
                    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as loop:
                        return loop.run(self._await(definition, runner, payload, context))
                if definition.services:
                    return runner._services.call(definition.handler, payload, context, definition.services)  # noqa: SLF001  # its own
                return definition.handler(payload, context)
        finally:
            with self._lock:
                self._context, self._cancel = None, lambda: None

    async def _await(self, definition: Definition[Any, Any], runner: Any, payload: Any, context: ChildContext) -> Any:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        with self._lock:
            if context.stop is not None:
                raise Stopped(f"job {context.id} should stop: {context.stop}")
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        handler = cast("Callable[..., Awaitable[Any]]", definition.handler)
        if definition.services:
            return await runner._services.acall(handler, payload, context, definition.services)  # noqa: SLF001  # its own
        return await handler(payload, context)


def _load(work: Work) -> tuple[Definition[Any, Any], Any]:
    """Import the job and, if it has an address, the runner, with the worker's settings of enqueues."""
    runner = None if work.runner is None else work.runner.load()
    if runner is not None:
        settings = {name: value for name, value in work.settings.items() if getattr(runner.settings, name) != value}
        if settings:
            runner.configure(**settings)
    job = work.job.load()
    return (job if isinstance(job, Definition) else Definition.of_class(job)), runner


@contextlib.contextmanager
def limited_memory(limit: int | None) -> Iterator[None]:
    """Limit the address space inside the block, in bytes."""
    if limit is None:
        yield
        return
    import resource  # noqa: PLC0415  # Windows has none

    before, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def end_group() -> None:
    """End this process, and those that handlers started."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


def end_with(lifeline: int) -> None:
    """Let the kernel end this process group when the worker is gone. On other systems than Linux, a thread does it.

    A handler that holds the global interpreter lock would delay the thread.
    """
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        if poll.poll(0):
            end_group()


def main() -> None:
    """Serve the worker at the other end of the socket."""
    inside.is_child = True
    warnings.simplefilter("ignore", KindFormatWarning)  # the worker has shown it
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the worker decides when a child stops
        signal.signal(ignored, lambda *_: None)
    own_end, lifeline = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for descriptor in (own_end.fileno(), lifeline):
        os.set_inheritable(descriptor, False)
    end_with(lifeline)
    connection = Connection(own_end)
    with contextlib.suppress(EOFError, OSError):
        greeting = connection.receive()
        sys.path[:] = greeting.path
        forward_logs(connection, greeting.log_level)
        Child(connection).run()


if __name__ == "__main__":
    main()
