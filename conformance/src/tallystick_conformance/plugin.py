"""The entry point: adds `tallystick conform` to the command line."""

import typer
from tallystick import hookimpl


@hookimpl
def tallystick_cli(app: typer.Typer) -> None:
    """Add the command; what it needs is imported only now, so that other commands start fast."""
    from .command import conform_app  # noqa: PLC0415 - Hypothesis and pytest are slow to import

    app.add_typer(conform_app, name="conform")
