"""Options that several commands share."""

from typing import Annotated

import typer

from ..backend import Backend
from ..errors import ConfigurationError
from ..plugins import open_backend

Url = Annotated[
    str | None,
    typer.Option("--backend", metavar="URL", envvar="TALLYSTICK_BACKEND", help="The store, e.g. sqlite:///jobs.db."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; times are ISO 8601 in UTC.")]


def opened(url: str | None) -> Backend:
    """Open the selected store.

    Raises:
        ConfigurationError: no store was selected.
    """
    if not url:
        raise ConfigurationError(
            "no store was selected; pass --backend URL or set TALLYSTICK_BACKEND, e.g. sqlite:///jobs.db"
        )
    return open_backend(url)


def examples(*lines: str) -> str:
    """Return the epilog that shows examples of a command."""
    shown = [line.replace("[", r"\[") for line in lines]  # brackets are markup
    return "\n".join(["[bold]Examples[/bold]", *(f"  $ {line}" for line in shown)])
