"""The plugin that adds `tallystick conform` to the command line."""

from typing import TYPE_CHECKING

from tallystick import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def tallystick_cli(app: "typer.Typer") -> None:
    """Add the command."""
    from .lazy import conform  # noqa: PLC0415 - typer is imported only for the command line

    app.add_typer(conform, name="conform", rich_help_panel="Prepare")
