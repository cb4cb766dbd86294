"""Options that several commands share."""

from typing import Annotated
from uuid import UUID

import typer

from ..contract.backend import Backend
from ..contract.records import Record
from ..errors import ConfigurationError, JobNotFound
from ..hooks.plugins import open_backend

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


def stored_job(store: Backend, id: UUID) -> Record:
    """Return the record of a job, with its errors.

    Raises:
        JobNotFound: the store has no job with this id.
    """
    try:
        return store.get([id])[id]
    except KeyError:
        raise JobNotFound(f"job {id} was not found; check the id and --backend") from None


def examples(*lines: str) -> str:
    """Return the epilog that shows examples of a command."""
    shown = [line.replace("[", r"\[") for line in lines]  # brackets are markup
    return "\n".join(["[bold]Examples[/bold]", *(f"  $ {line}" for line in shown)])
