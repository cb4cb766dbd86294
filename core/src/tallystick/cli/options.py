"""Options that several commands share."""

from typing import Annotated

import typer

from ..backend import Backend
from ..errors import ConfigurationError
from ..filters import Filter
from ..plugins import open_backend
from ..state import State

Url = Annotated[
    str | None,
    typer.Option("--backend", metavar="URL", envvar="TALLYSTICK_BACKEND", help="The store, e.g. sqlite:///jobs.db."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; times are ISO 8601 in UTC.")]

_PANEL = "Filter (you can repeat each option)"
States = Annotated[
    list[State] | None,
    typer.Option(
        "--state", metavar="STATE", help=f"Only jobs in this state: {', '.join(State)}.", rich_help_panel=_PANEL
    ),
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", metavar="KIND", help="Only jobs of this kind.", rich_help_panel=_PANEL)
]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", metavar="QUEUE", help="Only jobs in this queue.", rich_help_panel=_PANEL)
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="Only jobs with this tag.", rich_help_panel=_PANEL)
]


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


def chosen(
    states: list[State] | None, kinds: list[str] | None, queues: list[str] | None, tags: list[str] | None
) -> Filter:
    """Return the filter for these options. An omitted option matches all jobs."""
    return Filter(states=states or None, kinds=kinds or None, queues=queues or None, tags=tags or None)


def examples(*lines: str) -> str:
    """Return the epilog that shows examples of a command."""
    shown = [line.replace("[", r"\[") for line in lines]  # brackets are markup
    return "\n".join(["[bold]Examples[/bold]", *(f"  $ {line}" for line in shown)])
