"""`tallystick worker`: import the application's runner and run it until a signal."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated, cast

import typer

import tallystick

from .. import signals
from ..errors import ConfigurationError, Unavailable
from ..loading import load_runner
from ..processes import ChildLink, Limits, Status, Supervisor, watched
from ..settings import SettingsArgs
from . import logs
from .options import examples
from .worker_plan import WORKER_PROCESS, WorkerPlan

logger = logging.getLogger("tallystick.worker")

EXAMPLES = examples(
    "tallystick worker app.jobs:runner",
    "tallystick worker app.jobs:runner --concurrency 32 --queue emails --queue reports",
    "tallystick worker app.jobs:runner --processes 4 --queues emails:5,default",
    "tallystick worker app.jobs:runner --processes 4 --max-memory 500 --health 127.0.0.1:8080",
    "tallystick worker app.main:make_runner --grace 60 --log-format json",
)


def _seconds(text: str) -> timedelta:
    try:
        return timedelta(seconds=float(text))
    except (OverflowError, ValueError) as exc:
        raise typer.BadParameter(f"{text!r} is not a number of seconds") from exc


def worker(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="module:attribute of a Runner, or of a function that returns one.",
            show_default=False,
        ),
    ],
    *,
    processes: Annotated[
        int | None, typer.Option(min=1, max=1_000, metavar="N", help="Run this many worker processes.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many jobs run at once in a process.")
    ] = None,
    queues: Annotated[
        list[str] | None, typer.Option("--queue", metavar="QUEUE", help="Serve this queue; you can repeat this option.")
    ] = None,
    weighted: Annotated[
        str | None, typer.Option("--queues", metavar="QUEUES", help="Serve these by weight: emails:5,default.")
    ] = None,
    backend: Annotated[str | None, typer.Option(metavar="URL", help="The store.")] = None,
    lease: Annotated[
        timedelta | None,
        typer.Option(parser=_seconds, metavar="SECONDS", help="How long a claim lasts without extension."),
    ] = None,
    grace: Annotated[
        timedelta | None,
        typer.Option(parser=_seconds, metavar="SECONDS", help="How long a shutdown waits for running jobs."),
    ] = None,
    max_age: Annotated[
        timedelta | None, typer.Option(parser=_seconds, metavar="SECONDS", help="Replace a process of this age.")
    ] = None,
    max_jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Replace a process that has run this many jobs.")
    ] = None,
    max_memory: Annotated[
        int | None, typer.Option(min=1, metavar="MIB", help="Replace a process that uses this much memory.")
    ] = None,
    health: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Answer the probes of an orchestrator here, by HTTP.")
    ] = None,
    log_level: Annotated[logs.Level, typer.Option(help="Minimum level of logged messages.")] = logs.Level.INFO,
    log_format: Annotated[logs.Format, typer.Option(help="Log as text, or as one JSON object per line.")] = (
        logs.Format.TEXT
    ),
) -> None:
    """Run jobs until SIGTERM or SIGINT.

    After the first signal, running jobs may finish; a second signal ends the
    grace period. Options that you omit come from the runner. TARGET can be in
    the current directory. You must choose a store: a worker on the default,
    memory://, would see no jobs of other processes.

    With --processes, a supervisor restarts processes that die, and passes a
    signal on to all of them. A process that reaches a limit finishes its jobs
    and is replaced; without --processes, the worker then exits with 0.
    """
    names, weights = _weighted(weighted) if weighted else (queues or None, None)
    if weighted and queues:
        raise ConfigurationError("pass --queue or --queues, not both")
    given = {
        "backend": backend,
        "concurrency": concurrency,
        "queues": names,
        "queue_weights": weights,
        "lease": lease,
        "grace": grace,
    }
    plan = WorkerPlan(
        target=target,
        overrides=cast("SettingsArgs", {name: value for name, value in given.items() if value is not None}),
        limits=Limits(age=max_age, jobs=max_jobs, memory=max_memory and max_memory * 2**20),
        log_level=log_level,
        log_format=log_format,
    )
    if processes is None:
        run_worker(plan, health=health)
    else:
        _supervise(plan, processes, health)


def _weighted(text: str) -> tuple[list[str], dict[str, int]]:
    """Return the queues and the weights of "emails:5,default"."""
    weights = {}
    for each in text.split(","):
        name, colon, weight = each.strip().rpartition(":")
        has_weight = bool(colon) and weight.isdecimal()
        weights[name if has_weight else each.strip()] = int(weight) if has_weight else 1
    return list(weights), weights


def run_worker(plan: WorkerPlan, *, health: str | None = None, link: ChildLink | None = None) -> None:
    """Run a worker in this process until a signal, a limit, or a request of its supervisor."""
    logs.configure(plan.log_level, plan.log_format)
    runner = load_runner(plan.target)
    _check_unused(runner, plan.target)
    if plan.overrides:  # without overrides, the module may have opened the runner already
        runner.configure(**plan.overrides)
    _check_store(runner, plan.target)
    with signals.process_signals() as stop, runner, answering(health, partial(_status, runner)):
        if not runner.backend.capabilities.multi_process:
            logger.warning(
                "this worker sees no jobs of other processes, because a %s serves only its own process; choose a store "
                "that processes can share, e.g. sqlite:///jobs.db",
                type(runner.backend).__name__,
            )
        with watched(runner, stop, plan.limits, link):
            unrecorded = runner.run()
        if unrecorded:
            raise Unavailable(
                f"the store did not record {unrecorded} outcomes; their jobs are rescued when their leases expire"
            )


def _supervise(plan: WorkerPlan, processes: int, health: str | None) -> None:
    """Run workers in processes of their own until a signal, and exit with the highest of their exit codes."""
    if sys.platform == "win32":
        raise ConfigurationError("--processes needs a POSIX system; start several workers instead")
    logs.configure(plan.log_level, plan.log_format)
    supervisor = Supervisor(WORKER_PROCESS, plan.to_bytes(), processes)
    with signals.process_signals() as stop, answering(health, supervisor.status):
        code = supervisor.run(stop)
    if code:
        raise typer.Exit(code)


def _status(runner: "tallystick.Runner") -> Status:
    snapshot = runner.snapshot()
    return Status(snapshot.running and not snapshot.blocked, snapshot._asdict())


@contextmanager
def answering(health: str | None, status: Callable[[], Status]) -> Iterator[None]:
    """Answer probes inside the block, if an address is given."""
    if health is None:
        yield
        return
    from ..processes.health import HealthServer  # noqa: PLC0415  # few workers need an HTTP server

    with HealthServer(health, status).serving():
        yield


def _check_unused(runner: "tallystick.Runner", target: str) -> None:
    """Reject a runner that was started on import; warn about one that was closed on import."""
    advice = 'move the code that uses it under `if __name__ == "__main__":`'
    if runner.running:
        runner.close()
        raise ConfigurationError(
            f"{target} was already started when its module was imported, but this command starts it; {advice}"
        )
    if runner.closed:
        logger.warning(
            "%s was used and closed while its module was imported, which repeats at each start; %s", target, advice
        )


def _check_store(runner: "tallystick.Runner", target: str) -> None:
    if not runner.has_chosen_store:
        raise ConfigurationError(
            f"no store was selected for {target}, and a worker on the default, memory://, would see no jobs of other "
            "processes; pass --backend URL, set TALLYSTICK_BACKEND, or pass a URL to Runner(...), e.g. sqlite:///jobs.db"
        )
