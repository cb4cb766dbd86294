"""`tallystick worker`: import the application's runner and run it until a signal."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, cast

import typer

import tallystick

from .. import signals
from ..config.settings import SettingsArgs
from ..errors import ConfigurationError, Unavailable
from ..processes import ChildLink, Limits, Status, Supervisor, watched
from ..runner.loading import load_runner
from . import logs
from . import worker_options as options
from .options import examples
from .worker_options import FOREVER
from .worker_plan import WORKER_PROCESS, WorkerPlan

logger = logging.getLogger("tallystick.worker")

EXAMPLES = examples(
    "tallystick worker app.jobs:runner",
    "tallystick worker app.jobs:runner --concurrency 32 --queue emails --queue reports",
    "tallystick worker app.jobs:runner --processes 4 --queues emails:5,default",
    "tallystick worker app.jobs:runner --processes 4 --max-memory 500 --health 127.0.0.1:8080",
    "tallystick worker app.main:make_runner --grace 60 --log-format json",
)


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
    backend: options.Backend = None,
    queues: options.Queues = None,
    weighted: options.Weighted = None,
    concurrency: options.Concurrency = None,
    name: options.Name = None,
    auto_setup: options.Setup = None,
    lease: options.Lease = None,
    poll: options.Poll = None,
    batch: options.Batch = None,
    maintenance: options.Maintenance = None,
    grace: options.Grace = None,
    max_attempts: options.MaxAttempts = None,
    retry_base: options.RetryBase = None,
    timeout: options.Timeout = None,
    queue_timeouts: options.QueueTimeouts = None,
    keep_completed: options.KeepCompleted = None,
    keep_discarded: options.KeepDiscarded = None,
    keep_cancelled: options.KeepCancelled = None,
    max_payload_bytes: options.MaxPayloadBytes = None,
    processes: options.Processes = None,
    max_age: options.MaxAge = None,
    max_jobs: options.MaxJobs = None,
    max_memory: options.MaxMemory = None,
    health: options.Health = None,
    log_level: options.LogLevel = logs.Level.INFO,
    log_format: options.LogFormat = logs.Format.TEXT,
) -> None:
    """Run jobs until SIGTERM or SIGINT.

    After the first signal, running jobs may finish; a second signal ends the
    grace period. Options that you omit come from the runner. TARGET can be in
    the current directory. You must choose a store: a worker on the default,
    memory://, would see no jobs of other processes. Each option can also come
    from the environment; "tallystick config show" lists the variables.

    With --processes, a supervisor restarts processes that die, and passes a
    signal on to all of them. A process that reaches a limit finishes its jobs
    and is replaced; without --processes, the worker then exits with 0.
    """
    names, weights = _weighted(weighted) if weighted else (queues or None, None)
    if weighted and queues:
        raise ConfigurationError("pass --queue or --queues, not both")
    overrides = _overrides(
        backend=backend,
        queues=names,
        queue_weights=weights,
        concurrency=concurrency,
        worker=name,
        auto_setup=auto_setup,
        lease=lease,
        poll=poll,
        batch=batch,
        maintenance=maintenance,
        grace=grace,
        max_attempts=max_attempts,
        retry_base=retry_base,
        timeout=timeout,
        queue_timeouts=queue_timeouts,
        keep_completed=keep_completed,
        keep_discarded=keep_discarded,
        keep_cancelled=keep_cancelled,
        max_payload_bytes=max_payload_bytes,
    )
    plan = WorkerPlan(
        target=target,
        overrides=overrides,
        limits=Limits(age=max_age, jobs=max_jobs, memory=max_memory and max_memory * 2**20),
        log_level=log_level,
        log_format=log_format,
    )
    if processes is None:
        run_worker(plan, health=health)
    else:
        _supervise(plan, processes, health)


def _overrides(**given: object) -> SettingsArgs:
    """Return the settings of the options that were passed."""
    passed = {name: value for name, value in given.items() if value is not None}
    return cast("SettingsArgs", {name: None if value == FOREVER else value for name, value in passed.items()})


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
