"""`tallystick jobs`: list and show jobs. The commands that change jobs are in `changes`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from ..attempt_errors import AttemptError
from ..backend import Backend
from ..errors import InvalidArgument, JobNotFound
from ..failure import Failure
from ..filters import MOST_COUNTED, Filter, Order
from ..records import Record
from ..state import CLAIMABLE, State
from . import changes, show, update
from .filters import with_filter
from .options import Json, Url, examples, opened
from .times import relative

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

app = typer.Typer(no_args_is_help=True, help="Find, count, show, cancel, requeue, delete and update jobs.")

_ERROR_LENGTH = 60


@app.command(
    "list",
    epilog=examples(
        "tallystick jobs list --state discarded --state retrying --queue emails",
        "tallystick jobs list --tag tenant:7 --limit 100",
        "tallystick jobs list --state discarded --json | jq -r '.[].last_error.type'",
    ),
)
@with_filter
def list_jobs(
    *,
    filter: Filter,
    order: Annotated[
        Literal["id", "finished_at", "run_at"],
        typer.Option(help="newest first; or finished jobs, the latest first; or waiting jobs, the next one first."),
    ] = "id",
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of jobs to list.")] = 20,
    after: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Only jobs behind this one: the last id of the previous page.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List jobs, newest first or in another order.

    With --json: an array of objects, each as `tallystick jobs show` prints it,
    without its errors.
    """
    with opened(url) as store:
        position = None if after is None else _position(store, after, order)
        records = store.list(filter, limit=limit, order=order, after=position)
    if as_json:
        show.document([_without_errors(record) for record in records])
        return
    _print_table(records, datetime.now(UTC))
    if len(records) == limit:
        typer.echo(f"there may be more: --after {records[-1].id}", err=True)


def _position(store: Backend, id: UUID, order: Order) -> UUID | tuple[datetime, UUID]:
    """Return the position of a job in an order, from which the next page continues."""
    if order == "id":
        return id
    record = _get(store, id)
    moment = record.run_at if order == "run_at" else record.finished_at
    if moment is None:
        raise InvalidArgument(f"--after is {id}, but this job has no {order} now; begin with the first page")
    return moment, id


def _get(store: Backend, id: UUID) -> Record:
    try:
        return store.get([id])[id]
    except KeyError:
        raise JobNotFound(f"job {id} was not found; check the id and --backend") from None


def _without_errors(record: Record) -> dict[str, object]:
    return {name: value for name, value in _fields(record).items() if name != "errors"}


def _print_table(records: Sequence[Record], now: datetime) -> None:
    table = show.table("id", "kind", "queue", "state", "#attempt", "when", "last error")
    for record in records:
        table.add_row(
            str(record.id),
            show.text(record.kind),
            show.text(record.queue),
            show.state(record.state),
            f"{record.attempt}/{record.max_attempts}",
            _when(record, now),
            show.text(_short(record.last_error), "red"),
        )
    show.put(table)


def _when(record: Record, now: datetime) -> str:
    if record.state in CLAIMABLE:
        return f"due {relative(record.run_at, now)}"
    if record.state is State.RUNNING:
        return f"began {relative(record.attempted_at or record.updated_at, now)}"
    return f"ended {relative(record.finished_at or record.updated_at, now)}"


def _short(error: Failure | None) -> str:
    if error is None:
        return ""
    line = show.one_line(f"{error.type}: {error.message}")
    return line if len(line) <= _ERROR_LENGTH else f"{line[: _ERROR_LENGTH - 3]}..."


@app.command(
    "count",
    epilog=examples("tallystick jobs count --state discarded --created-since 2h", "tallystick jobs count --json"),
)
@with_filter
def count_jobs(
    *,
    filter: Filter,
    at_most: Annotated[int, typer.Option(min=1, max=MOST_COUNTED, help="Stop counting at this number.")] = 10_000,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Count jobs.

    With --json: an object with the keys count, and complete: whether all
    matching jobs were counted.
    """
    with opened(url) as store:
        count = store.count(filter, at_most=at_most)
    if as_json:
        show.document({"count": count, "complete": count < at_most})
    else:
        typer.echo(f"{count:,}{' or more' if count == at_most else ''}")


@app.command(
    "show",
    epilog=examples(
        "tallystick jobs show 0198c5a0-5c1e-7b7e-a4d2-3f0c6f8e9b11",
        "tallystick jobs show 0198c5a0-5c1e-7b7e-a4d2-3f0c6f8e9b11 --json | jq .payload",
    ),
)
def show_job(
    id: Annotated[UUID, typer.Argument(metavar="ID", help="ID of the job.", show_default=False)],
    *,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show everything that is stored about a job.

    With --json: an object with the keys id, kind, queue, payload, priority,
    state, attempt, max_attempts, run_at, created_at, updated_at, attempted_at,
    finished_at, lease_until, worker, cancel_requested, unique_key,
    unique_until, last_error {type, message, traceback}, result, tags, meta and
    errors [{attempt, at, type, message, traceback}], the oldest first. Payload
    and result are JSON values; other bytes are {base64}. unique_until is a word
    or a number of seconds.
    """
    with opened(url) as store:
        record = _get(store, id)
    if as_json:
        show.document(_fields(record) | {"errors": [_entry(error) for error in record.errors]})
    else:
        _print_record(record, datetime.now(UTC))


def _print_record(record: Record, now: datetime) -> None:
    table = show.table("", "")
    for name, value in record._asdict().items():
        if name not in {"payload", "result", "last_error", "errors"} and value is not None:
            table.add_row(show.text(name, "dim"), show.field(value, now))
    parts: list[Table | Text] = [table]
    for name, data in (("payload", record.payload), ("result", record.result)):
        if data is not None:
            parts += [show.text(), show.text(name, "bold"), show.content(data)]
    if record.errors:
        parts += [show.text(), show.text("errors", "bold"), _history(record.errors, now)]
    if (error := record.last_error) is not None:
        parts += [
            show.text(),
            show.text("last_error", "bold"),
            show.text(f"{error.type}: {error.message}", "red"),
            show.text(error.traceback.rstrip()),
        ]
    show.put(*parts)


def _fields(record: Record) -> dict[str, object]:
    until = record.unique_until
    return record._asdict() | {"unique_until": until.total_seconds() if isinstance(until, timedelta) else until}


def _entry(error: AttemptError) -> dict[str, object]:
    return {"attempt": error.attempt, "at": error.at, **asdict(error.error)}


def _history(errors: Sequence[AttemptError], now: datetime) -> "Table":
    table = show.table("", "", "")
    for attempt, at, error in errors:
        table.add_row(str(attempt), relative(at, now), show.text(_short(error), "red"))
    return table


changes.register(app)
update.register(app)
