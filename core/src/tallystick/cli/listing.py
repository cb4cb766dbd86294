"""`tallystick jobs list`: print jobs page by page, or watch them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from ..contract.backend import Backend
from ..contract.failure import Failure
from ..contract.filters import Filter, Order
from ..contract.records import Record
from ..contract.state import CLAIMABLE, State
from ..errors import ConfigurationError, InvalidArgument
from . import show
from .filters import with_filter
from .options import Json, Url, examples, opened, stored_job
from .times import relative
from .watch import watch

if TYPE_CHECKING:
    from .tables import Table

_PAGES = (100, 1_000)
"""The size of the first page, which is printed at once, and of the others."""

_ERROR_LENGTH = 60
_HEADER = 1

Sorted = Annotated[
    Literal["id", "finished_at", "run_at"],
    typer.Option(help="newest first; or finished jobs, the latest first; or waiting jobs, the next one first."),
]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number of jobs to list.")]
After = Annotated[
    UUID | None, typer.Option(metavar="ID", help="Only jobs behind this one: the last id of the previous page.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Redraw the list until Ctrl-C, which exits with 0.")]
Interval = Annotated[
    float, typer.Option(min=0.5, max=3_600, metavar="SECONDS", help="With --watch: the time between two reads.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "list",
        epilog=examples(
            "tallystick jobs list --state discarded --state retrying --queue emails",
            "tallystick jobs list --tag tenant:7 --limit 100",
            "tallystick jobs list --state running --watch",
            "tallystick jobs list --state discarded --json | jq -r '.[].last_error.type'",
        ),
    )(with_filter(list_jobs))


def list_jobs(
    *,
    filter: Filter,
    order: Sorted = "id",
    limit: Limit = 20,
    after: After = None,
    watching: Watch = False,
    interval: Interval = 2,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List jobs, newest first or in another order.

    A long list is read and printed page by page. On a terminal, the table fits
    its width: some columns are left out, and errors move beneath their jobs.

    With --json: an array of objects, each as `tallystick jobs show` prints it,
    without its errors and its progress.
    """
    if watching:
        _check_watch(as_json=as_json)
    with opened(url) as store:
        position = None if after is None else _position(store, after, order)
        if watching:
            watch(
                lambda rows: [_table(store.list(filter, limit=_fitting(limit, rows), order=order, after=position))],
                interval,
            )
            return
        pages = _pages(store, filter, order, position, limit)
        if as_json:
            show.array(_without_details(record) for record in chain.from_iterable(pages))
        else:
            _print(pages, limit)


def _check_watch(*, as_json: bool) -> None:
    if as_json:
        raise ConfigurationError("--watch draws for people; pass --json without it, and repeat the command")
    if show.terminal_width() is None:
        raise ConfigurationError("--watch needs a terminal; for scripts, repeat the command with --json")


def _fitting(limit: int, rows: int) -> int:
    return max(1, min(limit, rows - _HEADER))


def _position(store: Backend, id: UUID, order: Order) -> UUID | tuple[datetime, UUID]:
    """Return the position of a job in an order, from which the next page continues."""
    if order == "id":
        return id
    moment = _moment(stored_job(store, id), order)
    if moment is None:
        raise InvalidArgument(f"--after is {id}, but this job has no {order} now; begin with the first page")
    return moment, id


def _moment(record: Record, order: Order) -> datetime | None:
    return record.run_at if order == "run_at" else record.finished_at


def _pages(
    store: Backend, filter: Filter, order: Order, position: UUID | tuple[datetime, UUID] | None, limit: int
) -> Iterator[Sequence[Record]]:
    """Yield pages until the limit. A page is read when the caller asks for it."""
    first, size = _PAGES
    while limit > 0:
        records = store.list(filter, limit=min(first, limit), order=order, after=position)
        yield records
        if len(records) < first:
            return
        limit -= len(records)
        last = records[-1]
        moment = None if order == "id" else _moment(last, order)
        position = last.id if moment is None else (moment, last.id)
        first = size


def _without_details(record: Record) -> dict[str, object]:
    return {name: value for name, value in fields(record).items() if name not in {"errors", "progress"}}


def fields(record: Record) -> dict[str, object]:
    """Return the fields of a record for JSON."""
    until = record.unique_until
    return record._asdict() | {"unique_until": until.total_seconds() if isinstance(until, timedelta) else until}


def _print(pages: Iterator[Sequence[Record]], limit: int) -> None:
    table, count, last = _empty(), 0, None
    for page in pages:
        _add(table, page)
        show.put(table)
        count += len(page)
        last = page[-1].id if page else last
    if not count:
        typer.echo("no jobs match", err=True)
    if count == limit:
        typer.echo(f"there may be more: --after {last}", err=True)


def _table(records: Sequence[Record]) -> "Table":
    table = _empty()
    _add(table, records)
    return table


def _empty() -> "Table":
    return show.table(
        "id",
        "kind",
        "queue",
        "state",
        "#attempt",
        "when",
        "last error",
        narrow={"kind": 12, "queue": 7, "last error": 40},
        drop=("last error", "attempt", "queue", "when"),
        beneath="last error",
    )


def _add(table: "Table", records: Sequence[Record]) -> None:
    now = datetime.now(UTC)
    for record in records:
        table.add_row(
            str(record.id),
            show.text(record.kind),
            show.text(record.queue),
            show.state(record.state),
            f"{record.attempt}/{record.max_attempts}",
            _when(record, now),
            show.text(short(record.last_error), "red"),
        )


def _when(record: Record, now: datetime) -> str:
    if record.state in CLAIMABLE:
        return f"due {relative(record.run_at, now)}"
    if record.state is State.RUNNING:
        return f"began {relative(record.attempted_at or record.updated_at, now)}"
    return f"ended {relative(record.finished_at or record.updated_at, now)}"


def short(error: Failure | None) -> str:
    """Return the type of an error and the start of its message, in one line."""
    if error is None:
        return ""
    line = show.one_line(f"{error.type}: {error.message}")
    return line if len(line) <= _ERROR_LENGTH else f"{line[: _ERROR_LENGTH - 3]}..."
