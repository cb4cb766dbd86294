"""The application: its commands in their order, and how an error becomes a line and an exit code."""

import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import plugins
from .._version import __version__
from ..errors import BackendError, ResultError, TallystickError
from ..hook_calls import hook_calls
from ..interrupts import from_signal
from ..safe_repr import safe_repr
from ..urls import redact, redact_all
from . import demo, doctor, jobs, queues, stats, store, worker
from .options import examples
from .show import one_line

ORDER = ("demo", "worker", "jobs", "queues", "stats", "doctor", "setup", "backends")
"""The commands as help lists them; those of plugins follow."""

NOT_THERE, MISUSED, FAILED = 1, 2, 3


def exit_code(exc: TallystickError) -> int:
    """Return what a script should see: 1 not there, 2 bad usage or configuration, 3 the store could not."""
    match exc:
        case ResultError():
            return NOT_THERE
        case BackendError():
            return FAILED
        case _:
            return MISUSED


class Root(TyperGroup):
    """The root command. Every command below it may raise a `TallystickError`, which ends here."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of `ORDER`, then the others."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; report an error in one line."""
        try:
            return super().invoke(ctx)
        except TallystickError as exc:
            if ctx.params["debug"]:
                traceback.print_exception(exc)
            typer.echo(f"error: {one_line(str(exc))}", err=True)
            raise typer.Exit(exit_code(exc)) from exc
        except Exception as exc:
            _redact_usage(exc)
            raise


def _redact_usage(exc: Any) -> None:
    """Take passwords out of a message on bad usage, which repeats the arguments."""
    if isinstance(message := getattr(exc, "message", None), str):
        for argument in sys.argv[1:]:
            if "://" in argument:
                message = message.replace(argument, redact(argument))
        exc.message = redact_all(message)


app = typer.Typer(
    name="tallystick",
    cls=Root,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "export TALLYSTICK_BACKEND=sqlite:///jobs.db",
        "tallystick setup",
        "tallystick worker app.jobs:runner",
        "tallystick jobs list --state discarded",
    ),
)
app.add_typer(jobs.app, name="jobs", rich_help_panel="Operate")
app.add_typer(queues.app, name="queues", rich_help_panel="Operate")
app.command("stats", rich_help_panel="Operate", epilog=stats.EXAMPLES)(stats.stats)
app.command("doctor", rich_help_panel="Operate", epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("demo", rich_help_panel="Work", epilog=demo.EXAMPLES)(demo.demo)
app.command("worker", rich_help_panel="Work", epilog=worker.EXAMPLES)(worker.worker)
app.command("setup", rich_help_panel="Prepare", epilog=store.SETUP_EXAMPLES)(store.setup)
app.command("backends", rich_help_panel="Prepare", epilog=store.BACKENDS_EXAMPLES)(store.backends)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallystick {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="TALLYSTICK_DEBUG", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Operate background jobs, and run their workers.

    Exit codes:
      0  done
      1  what was asked for is not there, nothing was changed, or a fault found
      2  bad usage or configuration
      3  the store is unavailable or not set up
    """


def run() -> None:
    """Run the command that was asked for. Where it is not one of ours, plugins add theirs first."""
    if sys.argv[1:2] != ["--version"] and not set(sys.argv[1:2]) & set(ORDER):
        _add_commands_of_plugins()
    app(prog_name="tallystick")


def _add_commands_of_plugins() -> None:
    for add, arguments in hook_calls(plugins.installed().hooks.hook.tallystick_cli, app=app):
        try:
            add(**arguments)
        except BaseException as exc:  # a plugin's fault must not take the other commands away
            if from_signal(exc, KeyboardInterrupt):
                raise
            typer.echo(f"warning: a plugin could not add its commands: {one_line(safe_repr(exc))}", err=True)
