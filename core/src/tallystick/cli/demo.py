"""`tallystick demo`: kill a worker process in the middle of thousands of jobs, and show that nothing is lost."""

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, NamedTuple
from uuid import UUID

import typer

from ..contract.records import Record
from ..contract.state import FINAL
from ..demo import LEASE, LEDGER, Books, Digest, died_attempts
from ..errors import ConfigurationError, InvalidArgument
from ..processes import Limits, Supervisor
from ..runner.runner import Runner
from ..signals import StopSignals
from ..urls import redact
from . import logs, show
from .demo_files import read_files
from .next_commands import next_commands
from .options import examples
from .worker_plan import WORKER_PROCESS, WorkerPlan

if TYPE_CHECKING:
    from rich.text import Text

    from .tables import Table

EXAMPLES = examples(
    "tallystick demo",
    "tallystick demo --jobs 50000 --backend postgresql://localhost/test",
    "tallystick demo --files --path ~/src/project",
)

_BATCH = 500
_PROCESSES = 2
_REFRESH = 0.05
_SHOWN = 10


def demo(
    *,
    jobs: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help="How many jobs to run.")] = 20_000,
    backend: Annotated[
        str, typer.Option(metavar="URL", help="The store, which keeps the jobs.")
    ] = "sqlite:///tallystick-demo.db",
    concurrency: Annotated[int, typer.Option(min=1, metavar="N", help="How many jobs run at once in a process.")] = 4,
    files: Annotated[bool, typer.Option("--files", help="Parse Python files instead, in one process.")] = False,
    path: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="With --files: read this directory, not the standard library.",
        ),
    ] = None,
) -> None:
    """Kill a worker in the middle of thousands of jobs, and check the books.

    Two worker processes run small jobs. When half of the jobs are done, one
    process is killed with -9. Another takes over its jobs once their leases
    have expired. In the end every job is done, and none has ended twice.
    The exit code is 1 if the books do not balance.

    With --files, each job parses one file of the standard library. A file
    that does not parse is retried, and in the end discarded with its error.
    """
    if files or path is not None:
        read_files(path, backend, concurrency)
    elif not _run(jobs, backend, concurrency):
        raise typer.Exit(1)


def _run(jobs: int, backend: str, concurrency: int) -> bool:
    """Run the jobs, print the books, and return whether they balance."""
    with TemporaryDirectory() as folder, Runner(backend) as runner:
        if not runner.backend.capabilities.multi_process:
            raise InvalidArgument(
                f"two processes cannot share {redact(backend)}; use a file or a server, e.g. sqlite:///demo.db, or run "
                "tallystick demo --files"
            )
        logging.getLogger("tallystick").setLevel(logging.CRITICAL)  # the demo shows failures itself
        runner.register(Digest)
        ledger = Path(folder) / "ledger"
        with _workers(backend, concurrency, ledger) as workers:
            runner.backend.pause(Digest.queue)  # so that both processes begin together
            try:
                numbers = _enqueue(runner, jobs)
                workers.wait_until_ready()
            finally:
                runner.backend.resume(Digest.queue)
            run = _follow(runner, len(numbers), workers)
        books = Books.of(numbers, _records(runner, list(numbers)), ledger)
    _print(books, run, backend)
    return books.balance


class _Run(NamedTuple):
    """How the jobs ran: the killed process, the seconds in all, and the most jobs in a second."""

    killed: int | None
    seconds: float
    fastest: float


class _Workers:
    """The worker processes of the demo, supervised in a thread."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._signals = StopSignals()
        self._thread = Thread(target=self._supervise, name="tallystick-supervisor", daemon=True)
        self._code: int | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._signals.request()
        self._thread.join()

    def wait_until_ready(self) -> None:
        """Wait until all processes work."""
        while len(self.pids()) < _PROCESSES:
            self.check()
            sleep(_REFRESH)

    def pids(self) -> list[int]:
        """Return the ids of the processes that work."""
        return [each["pid"] for each in self._supervisor.status().details["processes"] if each["healthy"]]

    def check(self) -> None:
        """Raise an error if the supervisor has given up."""
        if self._code is not None:
            raise ConfigurationError(f"the worker processes exited with {self._code}; their error is above")

    def _supervise(self) -> None:
        self._code = self._supervisor.run(self._signals)


@contextmanager
def _workers(backend: str, concurrency: int, ledger: Path) -> Iterator[_Workers]:
    if sys.platform == "win32":
        raise ConfigurationError("the demo needs a POSIX system; run tallystick demo --files instead")
    os.environ[LEDGER] = str(ledger)
    plan = WorkerPlan(
        target="tallystick.demo:make_runner",
        overrides={"backend": backend, "concurrency": concurrency},
        limits=Limits(),
        log_level=logs.Level.ERROR,
        log_format=logs.Format.TEXT,
    )
    workers = _Workers(Supervisor(WORKER_PROCESS, plan.to_bytes(), _PROCESSES))
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def _enqueue(runner: Runner, jobs: int) -> dict[UUID, int]:
    """Enqueue jobs; return the number of each."""
    numbers: dict[UUID, int] = {}
    for start in range(0, jobs, _BATCH):
        some = range(start, min(start + _BATCH, jobs))
        handles = runner.enqueue_batch([Digest(number=number) for number in some])
        numbers |= {handle.id: number for handle, number in zip(handles, some, strict=True)}
    return numbers


def _records(runner: Runner, ids: Sequence[UUID]) -> Iterator[Record]:
    for start in range(0, len(ids), _BATCH):
        yield from runner.backend.get(ids[start : start + _BATCH]).values()


def _follow(runner: Runner, jobs: int, workers: _Workers) -> _Run:
    """Show the progress until all jobs have finished. Kill a process at half."""
    from rich.console import Console  # noqa: PLC0415  # rich is slow to import
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    began, killed, fastest, done = monotonic(), None, 0.0, 0
    seen = deque([(began, 0)])
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=jobs)
        while done < jobs:
            sleep(_REFRESH)
            workers.check()
            done = max(0, jobs - _unfinished(runner))
            pids = workers.pids()
            if killed is None and jobs / 2 <= done < jobs and pids:
                killed = pids[0]
                os.kill(killed, signal.SIGKILL)
                progress.console.print(f"killed worker process {killed} with -9 after {done:,} jobs")
            rate = _rate(seen, done)
            fastest = max(fastest, rate)
            names = ", ".join(map(str, pids)) or "-"
            progress.update(task, completed=done, description=f"{rate:,.0f} jobs/s by processes {names}")
    return _Run(killed, monotonic() - began, fastest)


def _rate(seen: deque[tuple[float, int]], done: int) -> float:
    """Note how many jobs are done; return how many were done per second in the last second."""
    seen.append((monotonic(), done))
    while len(seen) > 2 and seen[-1][0] - seen[0][0] > 1:
        seen.popleft()
    (first, before), (last, after) = seen[0], seen[-1]
    return (after - before) / max(last - first, _REFRESH)


def _unfinished(runner: Runner) -> int:
    queue = runner.backend.stats().by_queue[Digest.queue]
    return sum(count for state, count in queue.by_state.items() if state not in FINAL)


def _print(books: Books, run: _Run, backend: str) -> None:
    dead = sum(len(died_attempts(record)) for record in books.died)
    rows = (
        ("enqueued", books.enqueued),
        ("completed", books.enqueued - len(books.lost)),
        ("lost", len(books.lost)),
        ("with a wrong result", len(books.wrong)),
        ("ended twice", len(books.twice)),
        ("attempts that died with a process", dead),
    )
    table = show.table("jobs", "#count")
    for name, count in rows:
        table.add_row(show.text(name), f"{count:,}")
    show.put(table, show.text())
    if books.died:
        show.put(_deaths(books.died), show.text())
    waited = f", of which its jobs waited up to {LEASE.seconds} s for their leases to expire" if dead else ""
    deed = f"process {run.killed} was killed" if run.killed else "no process was killed: the jobs were done too soon"
    verdict = "The books balance." if books.balance else "THE BOOKS DO NOT BALANCE."
    show.put(
        show.text(f"{books.enqueued:,} jobs on {redact(backend)}, up to {run.fastest:,.0f} jobs/s; {deed}."),
        show.text(f"They took {run.seconds:.1f} s{waited}."),
        show.text(f"{verdict}\n", "bold" if books.balance else "bold red"),
        *next_commands(backend, "workers", *(f"jobs show {record.id}" for record in books.died[:1])),
    )


def _deaths(died: Sequence[Record]) -> "Table | Text":
    """Return a table of the jobs whose attempts died."""
    table = show.table("job", "died at attempt", "completed at attempt")
    for record in died[:_SHOWN]:
        dead = ", ".join(map(str, died_attempts(record)))
        table.add_row(show.text(record.id), dead, str(record.attempt))
    if len(died) > _SHOWN:
        table.add_row(show.text(f"and {len(died) - _SHOWN:,} more"), "", "")
    return table
