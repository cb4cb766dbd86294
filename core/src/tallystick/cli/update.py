"""`tallystick jobs update`: change the priority, the queue or the due time of waiting jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from ..contract.backend import Backend
from ..contract.changes import Changes
from ..contract.filters import Filter
from .changes import ID, All, Change, Ids, Yes, change_jobs
from .filters import with_filter
from .options import Json, Url, examples
from .times import parse_due

UPDATE = Change("update", "updated", "Change waiting jobs.", "--queue emails --set-priority 10")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "update",
        epilog=examples(f"tallystick jobs update {ID} --set-run-at now", f"tallystick jobs update {UPDATE.example}"),
    )(with_filter(update))


def update(
    ids: Ids = None,
    *,
    priority: Annotated[
        int | None, typer.Option("--set-priority", metavar="N", help="The new priority; higher runs first.")
    ] = None,
    queue: Annotated[str | None, typer.Option("--set-queue", metavar="QUEUE", help="The new queue.")] = None,
    run_at: Annotated[
        datetime | None,
        typer.Option(
            "--set-run-at", parser=parse_due, metavar="TIME", help="When due: now, ISO 8601, or a delay as 15m."
        ),
    ] = None,
    filter: Filter,
    everything: All = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Change the priority, the queue or the due time of waiting jobs.

    Select jobs by ID, by filter options or with --all. Running and finished
    jobs stay as they are. Exits with 1 if no job was changed.

    With --json: an object with the keys changed (ids) and unchanged ({id,
    reason} for each other ID).
    """
    changes = Changes(run_at=run_at, priority=priority, queue=queue)

    def apply(store: Backend, filter: Filter, limit: int) -> Sequence[UUID]:
        return store.update(filter, changes, limit=limit)

    change_jobs(UPDATE, apply, ids, filter, everything=everything, yes=yes, url=url, as_json=as_json)
