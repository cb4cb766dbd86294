"""`tallystick jobs export`: write jobs as JSON lines, page by page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from .._version import __version__
from ..contract.backend import CONTRACT_VERSION, Backend
from ..contract.filters import Filter
from ..contract.records import Record
from . import export_lines
from .filters import with_filter
from .options import Url, examples, opened

_FIRST, _MOST = 100, 1_000
"""The size of the first page, and the largest one."""

_PAGE_BYTES = 16 * 1024 * 1024
"""The bytes of payloads and results that a page should have."""

_WHOLE_AT_ONCE = 100
"""The most jobs that `get` reads at once. The errors of a job can have two megabytes."""

Schedules = Annotated[bool, typer.Option("--schedules", help="Also export the schedules.")]
Pauses = Annotated[bool, typer.Option("--pauses", help="Also export which queues are paused.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "export",
        epilog=examples(
            "tallystick jobs export > jobs.jsonl",
            "tallystick jobs export --schedules --pauses | tallystick jobs import --backend postgresql://db/app",
            "tallystick jobs export --state discarded --finished-since 7d > failed.jsonl",
        ),
    )(with_filter(export_jobs))


def export_jobs(*, filter: Filter, schedules: Schedules = False, pauses: Pauses = False, url: Url = None) -> None:
    """Write jobs as JSON lines, which `tallystick jobs import` reads.

    Each line is a JSON object with a type: first export, then queue, schedule
    and job, and at last end. A job has every field of its record. Payload and
    result are the stored bytes: text, or {base64} if they are not UTF-8. An
    application's codec does not decode them, so encrypted ones stay encrypted.

    Stop the workers first. A job that changes during the export may be written
    in its old or in its new state, and a job that is enqueued is left out.
    """
    with opened(url) as store:
        typer.echo(export_lines.line("export", _header()))
        if pauses:
            for queue in (queue for queue in store.queues() if queue.paused):
                typer.echo(export_lines.line("queue", queue._asdict()))
        if schedules:
            for schedule in store.schedules():
                typer.echo(export_lines.schedule(schedule))
        count = 0
        for page in _pages(store, filter):
            for some in _whole(store, page):
                typer.echo("\n".join(map(export_lines.job, some)))
                count += len(some)
        typer.echo(export_lines.line("end", {"jobs": count}))
    typer.echo(f"exported: {count:,} jobs", err=True)


def _header() -> dict[str, object]:
    return {"contract": CONTRACT_VERSION, "version": __version__, "at": datetime.now(UTC)}


def _pages(store: Backend, filter: Filter) -> Iterator[Sequence[Record]]:
    """Yield pages of records, newest first. A page of large payloads is small."""
    limit, after, most = _FIRST, None, min(_MOST, store.capabilities.max_batch)
    while page := store.list(filter, limit=min(limit, most), after=after):
        yield page
        after = page[-1].id
        size = sum(len(record.payload) + len(record.result or b"") for record in page)
        limit = max(1, min(_MOST, _PAGE_BYTES * len(page) // (size + 1)))


def _whole(store: Backend, page: Sequence[Record]) -> Iterator[list[Record]]:
    """Yield the records of a page in parts, with the fields that only `get` returns. Omit a job that was deleted."""
    for start in range(0, len(page), _WHOLE_AT_ONCE):
        part = page[start : start + _WHOLE_AT_ONCE]
        found = store.get(begun) if (begun := [record.id for record in part if _has_begun(record)]) else {}
        some = [found.get(record.id) if _has_begun(record) else record for record in part]
        if kept := [record for record in some if record is not None]:
            yield kept


def _has_begun(record: Record) -> bool:
    """Return whether a job may have errors or a progress."""
    return record.attempt > 0 or record.last_error is not None
