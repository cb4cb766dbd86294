"""The command-line application: the order of its commands, and its error messages and exit codes."""

import os
import sys
import traceback
from typing import Annotated, Any

import typer

from .._version import __version__
from ..errors import BackendError, ResultError, ScheduleNotFound, TallystickError
from ..hooks import plugins
from ..hooks.hook_calls import hook_calls
from ..interrupts import from_signal
from ..messages.safe_repr import safe_repr
from ..urls import redact, redact_all
from .commands import BUILT_IN
from .groups import Group, suggesting_options
from .options import examples
from .pipes import closed_pipe_is_success
from .show import one_line

ORDER = tuple(command.name for command in BUILT_IN)
"""The order of the commands in help. Commands of plugins follow."""

NOT_FOUND, MISUSED, FAILED = 1, 2, 3


def exit_code(exc: TallystickError) -> int:
    """Return the exit code for an error: 1 no result, 2 bad usage or configuration, 3 the store failed."""
    match exc:
        case ResultError() | ScheduleNotFound():
            return NOT_FOUND
        case BackendError():
            return FAILED
        case _:
            return MISUSED


class Root(Group):
    """The root command. Prints a `TallystickError` of any subcommand."""

    def __init__(self, *args: Any, commands: dict[str, Any], **given: Any) -> None:
        super().__init__(*args, commands={command.name: command for command in BUILT_IN} | commands, **given)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of `ORDER`, then the commands of plugins."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def make_context(self, *args: Any, **given: Any) -> Any:
        """Parse the options before the command."""
        with suggesting_options():
            return super().make_context(*args, **given)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; report an error in one line."""
        try:
            with suggesting_options():
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
    """Remove passwords from a usage error, which repeats the arguments."""
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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallystick {__version__}")
        raise typer.Exit


def _no_color(wanted: bool) -> None:
    if wanted:
        os.environ["NO_COLOR"] = "1"  # the help and plugins read it too


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="TALLYSTICK_DEBUG", help="Show the traceback of errors.")
    ] = False,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", callback=_no_color, is_eager=True, help="Print no colours, as with NO_COLOR=1."),
    ] = False,
) -> None:
    """Operate background jobs, and run their workers.

    Exit codes:
      0  success
      1  not found, nothing changed, or a fault found
      2  bad usage or configuration
      3  the store is unavailable or not set up
      130  interrupted by Ctrl-C
    """


def run() -> None:
    """Run the command line. Plugins are loaded only for commands that are not built in."""
    if sys.argv[1:2] != ["--version"] and not set(sys.argv[1:2]) & set(ORDER):
        _add_plugin_commands()
    with closed_pipe_is_success():
        app(prog_name="tallystick")


def _add_plugin_commands() -> None:
    for add, arguments in hook_calls(plugins.installed().hooks.hook.tallystick_cli, app=app):
        try:
            add(**arguments)
        except BaseException as exc:  # a broken plugin must not disable the other commands
            if from_signal(exc, KeyboardInterrupt):
                raise
            typer.echo(f"warning: a plugin could not add its commands: {one_line(safe_repr(exc))}", err=True)
