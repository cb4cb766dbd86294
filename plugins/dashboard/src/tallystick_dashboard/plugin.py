"""The entry point: add `tallystick dashboard` to the command line."""

from typing import TYPE_CHECKING

from tallystick import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def tallystick_cli(app: "typer.Typer") -> None:
    """Add the command."""
    from .command import EPILOG, serve  # noqa: PLC0415  # typer is imported only for the command line

    app.command("dashboard", rich_help_panel="Operate", epilog=EPILOG)(serve)
