"""The options that several commands share, each defined once."""

from typing import Annotated

import typer

from ..backend import Backend
from ..errors import ConfigurationError
from ..plugins import open_backend
from ..records import Filter
from ..state import State

Url = Annotated[
    str | None,
    typer.Option("--backend", metavar="URL", envvar="TALLYSTICK_BACKEND", help="The store, e.g. sqlite:///jobs.db."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; times are ISO 8601, UTC.")]

_PANEL = "Which jobs (each option can be repeated)"
States = Annotated[
    list[State] | None,
    typer.Option("--state", metavar="STATE", help=f"In this state: {', '.join(State)}.", rich_help_panel=_PANEL),
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", metavar="KIND", help="Of this kind.", rich_help_panel=_PANEL)
]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", metavar="QUEUE", help="In this queue.", rich_help_panel=_PANEL)
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="With this tag.", rich_help_panel=_PANEL)]


def opened(url: str | None) -> Backend:
    """Open the store that was chosen.

    Raises:
        ConfigurationError: none was.
    """
    if not url:
        raise ConfigurationError(
            "no store is chosen; give --backend URL or set TALLYSTICK_BACKEND, e.g. sqlite:///jobs.db"
        )
    return open_backend(url)


def chosen(
    states: list[State] | None, kinds: list[str] | None, queues: list[str] | None, tags: list[str] | None
) -> Filter:
    """Return the filter that these options make; one that was not given fits all."""
    return Filter(states=states or None, kinds=kinds or None, queues=queues or None, tags=tags or None)


def examples(*lines: str) -> str:
    """Return the epilog that shows how a command is called."""
    shown = [line.replace("[", r"\[") for line in lines]  # a bracket is markup otherwise
    return "\n".join(["[bold]Examples[/bold]", *(f"  $ {line}" for line in shown)])
