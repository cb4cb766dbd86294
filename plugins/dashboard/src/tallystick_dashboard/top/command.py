"""`tallystick top`: show the overview of a store in the terminal."""

import sys
from typing import Annotated

import typer
from tallystick import ConfigurationError

from ..command import Target, source_of

EPILOG = "\n".join(
    (
        "[bold]Examples[/bold]",
        "  $ tallystick top sqlite:///jobs.db",
        "  $ tallystick top app.jobs:runner --interval 2",
    )
)


def top(
    target: Target = None,
    *,
    interval: Annotated[float, typer.Option(help="Seconds between two reads.", min=0.5, max=3_600)] = 5,
    read_only: Annotated[bool, typer.Option("--read-only", help="Reject every action.")] = False,
    backend: Annotated[str | None, typer.Option(envvar="TALLYSTICK_BACKEND", metavar="URL", help="The store.")] = None,
) -> None:
    """Show queues, failures and workers in the terminal.

    Pause and resume the queue at the cursor with p and r. Retry the failures at
    the cursor with t. The Tab key selects the next table, and q quits.
    """
    source, shown = source_of(target, backend)
    if not sys.stdout.isatty():
        raise ConfigurationError("tallystick top needs a terminal; for scripts, use tallystick stats --json")
    try:
        from .app import Top  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as exc:
        if exc.name != "textual":
            raise
        raise ConfigurationError('tallystick top needs textual; install "tallystick[top]"') from None
    from ..control.plane import ControlPlane  # noqa: PLC0415
    from ..settings import DashboardSettings  # noqa: PLC0415

    plane = ControlPlane(source, DashboardSettings(interval=interval, read_only=read_only))
    try:
        Top(plane, shown).run()
    finally:
        if plane.owns_runner:
            plane.runner.close()
