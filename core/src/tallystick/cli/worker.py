"""`tallystick worker`: import the application's runner and run it until a signal."""

import logging
from datetime import timedelta
from typing import Annotated, cast

import typer

import tallystick

from .. import signals
from ..errors import ConfigurationError, Unavailable
from ..loading import load_runner
from ..settings import SettingsArgs
from . import logs
from .options import examples

logger = logging.getLogger("tallystick.worker")

EXAMPLES = examples(
    "tallystick worker app.jobs:runner",
    "tallystick worker app.jobs:runner --concurrency 32 --queue emails --queue reports",
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
    concurrency: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many jobs run at once.")] = None,
    queues: Annotated[
        list[str] | None, typer.Option("--queue", metavar="QUEUE", help="Serve this queue; you can repeat this option.")
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
    """
    logs.configure(log_level, log_format)
    runner = load_runner(target)
    _check_unused(runner, target)
    given = {"backend": backend, "concurrency": concurrency, "queues": queues or None, "lease": lease, "grace": grace}
    overrides = cast("SettingsArgs", {name: value for name, value in given.items() if value is not None})
    if overrides:  # without overrides, the module may have opened the runner already
        runner.configure(**overrides)
    _check_store(runner, target)
    with signals.process_signals(), runner:
        if not runner.backend.capabilities.multi_process:
            logger.warning(
                "this worker sees no jobs of other processes, because a %s serves only its own process; choose a store "
                "that processes can share, e.g. sqlite:///jobs.db",
                type(runner.backend).__name__,
            )
        unrecorded = runner.run()
        if unrecorded:
            raise Unavailable(
                f"the store did not record {unrecorded} outcomes; their jobs are rescued when their leases expire"
            )


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
