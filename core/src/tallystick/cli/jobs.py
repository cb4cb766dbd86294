"""`tallystick jobs`: count and show jobs. `listing` has the list, and `changes` the commands that change jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from ..contract.attempt_errors import AttemptError
from ..contract.filters import MOST_COUNTED, Filter
from ..contract.progress import Progress
from ..contract.records import Record
from . import changes, export, import_jobs, listing, show, update
from .decoding import RunnerName, decoded, opened_for
from .filters import with_filter
from .groups import Group
from .listing import fields, short
from .options import Json, Url, examples, opened, stored_job
from .times import relative

if TYPE_CHECKING:
    from rich.text import Text

    from .tables import Table

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="Find, show, cancel, requeue, delete, update, export and import jobs."
)

listing.register(app)


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
    runner: RunnerName = None,
    as_json: Json = False,
) -> None:
    """Show everything that is stored about a job.

    If the application has a codec, pass its runner: --runner app.jobs:runner.

    With --json: an object with the keys id, kind, queue, payload, priority,
    state, attempt, max_attempts, run_at, created_at, updated_at, attempted_at,
    finished_at, lease_until, worker, cancel_requested, unique_key,
    unique_until, last_error {type, message, traceback}, result, tags, meta,
    errors [{attempt, at, type, message, traceback}], the oldest first, and
    progress {fraction, message, at} or null. Payload and result are JSON values;
    other bytes are {base64}. If the codec cannot decode one, payload_error or
    result_error says why. unique_until is a word or a number of seconds.
    """
    with opened_for(runner, url) as (store, application):
        record, unread = decoded(application, stored_job(store, id))
    if as_json:
        progress = record.progress and record.progress._asdict()
        details = {"errors": [_entry(error) for error in record.errors], "progress": progress}
        show.document(fields(record) | details | {f"{name}_error": why for name, why in unread.items()})
    else:
        _print_record(record, unread, datetime.now(UTC))


def _print_record(record: Record, unread: Mapping[str, str], now: datetime) -> None:
    table = show.table("", "value", narrow={"value": 40}, fold=("value",), has_header=False)
    for name, value in record._asdict().items():
        if name not in {"payload", "result", "last_error", "errors", "progress"} and value is not None:
            table.add_row(show.text(name, "dim"), show.field(value, now))
    if record.progress is not None:
        table.add_row(show.text("progress", "dim"), _progress(record.progress, now))
    parts: list[Table | Text] = [table]
    for name, data in (("payload", record.payload), ("result", record.result)):
        if data is not None:
            why = [show.text(unread[name], "red")] if name in unread else []
            parts += [show.text(), show.text(name, "bold"), *why, show.content(data)]
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


def _progress(progress: Progress, now: datetime) -> "Text":
    parts = [] if progress.percent is None else [f"{progress.percent}%"]
    parts += [show.one_line(progress.message)] if progress.message else []
    return show.text(f"{', '.join(parts) or '-'} ({relative(progress.at, now)})")


def _entry(error: AttemptError) -> dict[str, object]:
    return {"attempt": error.attempt, "at": error.at, **asdict(error.error)}


def _history(errors: Sequence[AttemptError], now: datetime) -> "Table":
    table = show.table("attempt", "at", "error", narrow={"error": 20}, has_header=False)
    for attempt, at, error in errors:
        table.add_row(str(attempt), relative(at, now), show.text(short(error), "red"))
    return table


changes.register(app)
update.register(app)
export.register(app)
import_jobs.register(app)
