"""The workers of the benchmark: processes, or a thread of this one for a store that processes cannot share."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import IO, TypeAlias

from ..errors import ConfigurationError
from .worker import Report, work

Begin: TypeAlias = Callable[[], None]
Reports: TypeAlias = "SimpleQueue[Report | None]"


class Workers:
    """Some workers that are ready. They report how many jobs they completed, and how long each ping took."""

    def __init__(self, begins: Sequence[Begin], reports: Reports) -> None:
        self._begins = begins
        self._reports = reports
        self._completed = [0] * len(begins)

    def begin(self) -> float:
        """Start to work; return the time."""
        began = monotonic()
        for begin in self._begins:
            begin()
        return began

    def wait_for(self, jobs: int) -> float:
        """Wait until this many jobs have completed; return when the last one was recorded."""
        last = 0.0
        while sum(self._completed) < jobs:
            last = max(last, self._next().last)
        return last

    def wait_for_ping(self) -> float:
        """Return how many seconds the next ping took. At most one ping is on its way."""
        while not (report := self._next()).latencies:
            pass
        return report.latencies[0]

    def _next(self) -> Report:
        report = self._reports.get()
        if report is None:
            raise ConfigurationError("a worker of the benchmark ended too soon; its error is above")
        self._completed[report.worker] = report.completed
        return report


@contextmanager
def ready_workers(url: str, count: int, *, shared: bool) -> Iterator[Workers]:
    """Yield workers that are ready, and stop them at the end.

    Args:
        url: The store.
        count: The number of workers.
        shared: Whether processes can share the store. Otherwise each worker is a thread of this process.
    """
    reports: Reports = SimpleQueue()
    run = _process if shared else _thread
    with ExitStack() as stack:
        yield Workers([stack.enter_context(run(url, number, reports)) for number in range(count)], reports)


@contextmanager
def _process(url: str, number: int, reports: Reports) -> Iterator[Begin]:
    """Run a worker process. It ends with its standard input, and so also when this process is killed."""
    with subprocess.Popen(  # noqa: S603  # the command is this package
        [sys.executable, "-m", f"{__package__}.worker_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the command, which then ends its workers
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        begin = _line_to(process.stdin)
        reader = Thread(target=_read, args=(process.stdout, reports), name="tallystick-bench-reader", daemon=True)
        try:
            begin(json.dumps({"url": url, "number": number}))  # other users can read arguments, but not this
            if not process.stdout.readline():
                raise ConfigurationError("a worker of the benchmark could not start; its error is above")
            reader.start()
            yield lambda: begin("begin")
        finally:
            process.stdin.close()
            process.wait()
            if reader.ident is not None:
                reader.join()


def _line_to(stdin: IO[str]) -> Callable[[str], None]:
    def write(line: str) -> None:
        stdin.write(f"{line}\n")
        stdin.flush()

    return write


def _read(stdout: IO[str], reports: Reports) -> None:
    for line in stdout:
        reports.put(Report(*json.loads(line)))
    reports.put(None)


@contextmanager
def _thread(url: str, number: int, reports: Reports) -> Iterator[Begin]:
    ready, begun, ended = Event(), Event(), Event()

    def run() -> None:
        try:
            work(url, number, report=reports.put, ready=ready, begun=begun, ended=ended)
        finally:
            ready.set()
            reports.put(None)

    thread = Thread(target=run, name="tallystick-bench-worker", daemon=True)
    thread.start()
    try:
        ready.wait()
        yield begun.set
    finally:
        ended.set()
        begun.set()
        thread.join()
