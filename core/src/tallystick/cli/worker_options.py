"""The options of `tallystick worker` that set the settings of a runner, and those of the command itself."""

from datetime import timedelta
from typing import Annotated

import typer

from .logs import Format, Level

FOREVER = timedelta.max
"""The option `forever`, which the settings spell None."""

_CLAIMS, _RECORDS, _PROCESSES, _LOG = "Claims", "Jobs and their records", "Processes", "Logs"


def seconds(text: str) -> timedelta:
    """Read a number of seconds."""
    try:
        return timedelta(seconds=float(text))
    except (OverflowError, ValueError) as exc:
        raise typer.BadParameter(f"{text!r} is not a number of seconds") from exc


def seconds_or_forever(text: str) -> timedelta:
    """Read a number of seconds, or "forever"."""
    return FOREVER if text == "forever" else seconds(text)


def _length(help: str, panel: str, *, forever: bool = False) -> object:
    return typer.Option(
        parser=seconds_or_forever if forever else seconds, metavar="SECONDS", help=help, rich_help_panel=panel
    )


Backend = Annotated[str | None, typer.Option(metavar="URL", help="The store.")]
Concurrency = Annotated[int | None, typer.Option(min=1, metavar="N", help="How many jobs run at once in a process.")]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", metavar="QUEUE", help="Serve this queue; you can repeat this option.")
]
Weighted = Annotated[
    str | None, typer.Option("--queues", metavar="QUEUES", help="Serve these by weight: emails:5,default.")
]
Name = Annotated[str | None, typer.Option("--worker", metavar="NAME", help="The name of this worker, for people.")]
Setup = Annotated[
    bool | None,
    typer.Option("--auto-setup/--no-auto-setup", help="Create or migrate the store first.", show_default=False),
]
Grace = Annotated[timedelta | None, _length("How long a shutdown waits for running jobs.", _CLAIMS)]
Lease = Annotated[timedelta | None, _length("How long a claim lasts without extension.", _CLAIMS)]
Poll = Annotated[timedelta | None, _length("The longest time between two claims while idle.", _CLAIMS)]
Maintenance = Annotated[timedelta | None, _length("Time between two rescues and purges.", _CLAIMS)]
Batch = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The most jobs of one claim, but for slow ones.", rich_help_panel=_CLAIMS),
]
MaxAttempts = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Attempts of the jobs that this worker enqueues, for kinds without this option.",
        rich_help_panel=_RECORDS,
    ),
]
RetryBase = Annotated[timedelta | None, _length("The delay before the second attempt, by default.", _RECORDS)]
Timeout = Annotated[
    timedelta | None,
    _length("The longest time of an attempt, for kinds without this option; or forever.", _RECORDS, forever=True),
]
QueueTimeouts = Annotated[
    str | None,
    typer.Option(
        metavar="TIMEOUTS", help="The same for single queues: emails:30,reports:forever.", rich_help_panel=_RECORDS
    ),
]
KeepCompleted = Annotated[
    timedelta | None, _length("How long to keep completed jobs; or forever.", _RECORDS, forever=True)
]
KeepDiscarded = Annotated[
    timedelta | None, _length("How long to keep discarded jobs; or forever.", _RECORDS, forever=True)
]
KeepCancelled = Annotated[
    timedelta | None, _length("How long to keep cancelled jobs; or forever.", _RECORDS, forever=True)
]
MaxPayloadBytes = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The most bytes of a payload or a result.", rich_help_panel=_RECORDS),
]

Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1_000,
        metavar="N",
        envvar="TALLYSTICK_PROCESSES",
        help="Run this many worker processes.",
        rich_help_panel=_PROCESSES,
    ),
]
MaxAge = Annotated[
    timedelta | None,
    typer.Option(
        parser=seconds,
        metavar="SECONDS",
        envvar="TALLYSTICK_MAX_AGE",
        help="Replace a process of this age.",
        rich_help_panel=_PROCESSES,
    ),
]
MaxJobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        envvar="TALLYSTICK_MAX_JOBS",
        help="Replace a process that has run this many jobs.",
        rich_help_panel=_PROCESSES,
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="MIB",
        envvar="TALLYSTICK_MAX_MEMORY",
        help="Replace a process that uses this much memory.",
        rich_help_panel=_PROCESSES,
    ),
]
Health = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        envvar="TALLYSTICK_HEALTH",
        help="Answer the probes of an orchestrator here, by HTTP.",
        rich_help_panel=_PROCESSES,
    ),
]
LogLevel = Annotated[
    Level,
    typer.Option(envvar="TALLYSTICK_LOG_LEVEL", help="Minimum level of logged messages.", rich_help_panel=_LOG),
]
LogFormat = Annotated[
    Format,
    typer.Option(
        envvar="TALLYSTICK_LOG_FORMAT",
        help="Log as text, or as one JSON object per line.",
        rich_help_panel=_LOG,
    ),
]
