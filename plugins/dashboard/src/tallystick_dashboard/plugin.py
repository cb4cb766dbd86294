"""The entry point: add `tallystick dashboard` and `tallystick top` to the command line."""

from typing import TYPE_CHECKING

from tallystick import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def tallystick_cli(app: "typer.Typer") -> None:
    """Add the commands."""
    from . import command  # noqa: PLC0415  # typer is imported only for the command line
    from .top import command as top  # noqa: PLC0415

    app.command("dashboard", rich_help_panel="Operate", epilog=command.EPILOG)(command.serve)
    app.command("top", rich_help_panel="Operate", epilog=top.EPILOG)(top.top)
