"""`tallystick jobs cancel`, `requeue` and `delete`, which share their options and output with `update`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Annotated
from uuid import UUID

import typer

from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.records import Record
from ..contract.state import TRANSITIONS, State
from ..errors import InvalidArgument
from ..runner.bulk import change_all
from . import show
from .filters import with_filter
from .options import Json, Url, examples, opened

_BATCH = 1_000
_COUNTED = 10_000
ID = "0198c5a0-5c1e-7b7e-a4d2-3f0c6f8e9b11"

Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID", help="IDs of the jobs.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every job in the store.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Change jobs that match a filter without asking.")]


Apply = Callable[[Backend, Filter, int], Sequence[UUID]]
"""Changes at most as many matching jobs as the limit, and returns their ids."""


@dataclass(frozen=True, slots=True)
class Change:
    """A command that changes jobs, and the method of the backend that it calls."""

    name: str
    done: str
    help: str
    example: str

    @property
    def sources(self) -> frozenset[State]:
        """The states of jobs that this command changes."""
        return TRANSITIONS.sources(self.name)


CHANGES = (
    Change(
        "cancel",
        "cancelled or asked to stop",
        "Cancel waiting jobs, and ask running jobs to stop.",
        "--queue emails --kind newsletter",
    ),
    Change("requeue", "requeued", "Run retrying and finished jobs again now.", "--state discarded --yes"),
    Change("delete", "deleted", "Delete jobs that are not running.", "--state completed --tag tenant:7 --yes"),
)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for change in CHANGES:
        _register(app, change)


def _register(app: typer.Typer, change: Change) -> None:
    @app.command(
        change.name,
        help=f"{change.help}\n\nSelect jobs by ID, by filter options or with --all. "
        "Exits with 1 if no job was changed.\n\n"
        "With --json: an object with the keys changed (ids) and unchanged ({id, reason} for each other ID).",
        epilog=examples(f"tallystick jobs {change.name} {ID}", f"tallystick jobs {change.name} {change.example}"),
    )
    @with_filter
    def command(
        ids: Ids = None,
        *,
        filter: Filter,
        everything: All = False,
        yes: Yes = False,
        url: Url = None,
        as_json: Json = False,
    ) -> None:
        def apply(store: Backend, filter: Filter, limit: int) -> Sequence[UUID]:
            changed: Sequence[UUID] = getattr(store, change.name)(filter, limit=limit)
            return changed

        change_jobs(change, apply, ids, filter, everything=everything, yes=yes, url=url, as_json=as_json)


def change_jobs(
    change: Change,
    apply: Apply,
    ids: list[UUID] | None,
    filter: Filter,
    *,
    everything: bool,
    yes: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Change the selected jobs, after a confirmation if a filter selects them, and report the result."""
    _check_selection(ids=bool(ids), filter=filter != Filter(), everything=everything)
    with opened(url) as store:
        if ids:
            changed, unchanged = _by_ids(store, change, apply, ids)
        else:
            if not yes:
                _ask(store, change, filter)
            changed, unchanged = _all(store, apply, filter), {}
    _report(change, changed, unchanged, as_json=as_json)


def _check_selection(**ways: bool) -> None:
    if sum(ways.values()) != 1:
        raise InvalidArgument("select jobs in exactly one way: by ID, by filter options, or with --all")


def _by_ids(store: Backend, change: Change, apply: Apply, ids: list[UUID]) -> tuple[list[UUID], dict[UUID, str]]:
    changed: list[UUID] = []
    unchanged: dict[UUID, str] = {}
    for batch in _batches(ids, min(_BATCH, store.capabilities.max_batch)):
        won = dict.fromkeys(_all(store, apply, Filter(ids=batch)))
        rest = [id for id in batch if id not in won]
        found = store.get(rest)
        changed += won
        unchanged |= {id: _reason(change, found.get(id)) for id in rest}
    return changed, unchanged


def _batches(ids: list[UUID], size: int) -> Iterator[list[UUID]]:
    distinct = iter(dict.fromkeys(ids))
    while batch := list(islice(distinct, size)):
        yield batch


def _all(store: Backend, apply: Apply, filter: Filter) -> list[UUID]:
    return change_all(partial(apply, store), filter)


def _ask(store: Backend, change: Change, filter: Filter) -> None:
    sources = [state for state in change.sources if state in (filter.states or State)]
    count = store.count(replace(filter, states=sources), at_most=_COUNTED)
    if count:
        many = f"{count:,}{' or more' if count >= _COUNTED else ''}"
        typer.confirm(f"Matching jobs: {many}. {change.name.capitalize()} them?", abort=True, err=True)


def _reason(change: Change, record: Record | None) -> str:
    if record is None:
        return "not found"
    if record.state not in change.sources:
        return "running" if record.state is State.RUNNING else f"already {record.state}"
    if change.name == "cancel" and record.cancel_requested:
        return "cancellation already requested"
    if change.name == "update":
        return "it has these values already"
    if change.name == "requeue" and record.unique_key is not None:
        return f"another job holds its unique key {record.unique_key!r}"
    return f"{record.state}; another process changed it at the same time"


def _report(change: Change, changed: list[UUID], unchanged: dict[UUID, str], *, as_json: bool) -> None:
    if as_json:
        rest = [{"id": id, "reason": reason} for id, reason in unchanged.items()]
        show.document({"changed": changed, "unchanged": rest})
    else:
        for id, reason in unchanged.items():
            typer.echo(f"unchanged: {id}: {reason}", err=True)
        typer.echo(f"{change.done}: {len(changed):,}")
    if not changed:
        raise typer.Exit(1)
