"""The entry point: adds `windlass conform` to the command line."""

import typer
from windlass import hookimpl


@hookimpl
def windlass_cli(app: typer.Typer) -> None:
    """Add the command; what it needs is imported only now, so that other commands start fast."""
    from .command import conform_app  # noqa: PLC0415 - Hypothesis and pytest are slow to import

    app.add_typer(conform_app, name="conform")
