"""`tallystick schedules`: list, show, pause, resume, remove and run schedules, and show their next ticks."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from ..contract.backend import Backend
from ..contract.schedules import Schedule
from ..errors import ScheduleNotFound
from ..runner import schedule_calls
from . import show
from .decoding import RunnerName, decoded, opened_for
from .groups import Group
from .options import Json, Url, examples, opened
from .times import relative

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, show, pause, resume, remove and run schedules.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the schedule.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Names of the schedules.", show_default=False)]


@app.command("list", epilog=examples("tallystick schedules list", "tallystick schedules list --json | jq '.[].name'"))
def list_schedules(*, url: Url = None, as_json: Json = False) -> None:
    """List the schedules by name.

    With --json: an array of objects, each as `tallystick schedules show`
    prints it.
    """
    with opened(url) as store:
        schedules = store.schedules()
    if as_json:
        show.document([_document(schedule) for schedule in schedules])
    else:
        _print_table(schedules, datetime.now(UTC))


def _print_table(schedules: Sequence[Schedule], now: datetime) -> None:
    table = show.table(
        "schedule",
        "rule",
        "zone",
        "kind",
        "queue",
        "last tick",
        "next tick",
        "",
        narrow={"schedule": 36, "rule": 15, "kind": 12, "queue": 7},
        drop=("queue", "last tick", "kind", "zone"),
    )
    for schedule in schedules:
        table.add_row(
            *(show.text(each) for each in (schedule.name, schedule.rule, schedule.zone, schedule.kind, schedule.queue)),
            _tick(schedule.last_tick, now),
            _tick(schedule.next_tick, now),
            "[yellow]paused[/yellow]" if schedule.paused else "",
        )
    show.listed(table, "no schedules")


def _tick(tick: datetime | None, now: datetime) -> str:
    return "-" if tick is None else relative(tick, now)


@app.command("show", epilog=examples("tallystick schedules show report", "tallystick schedules show report --json"))
def show_schedule(name: Name, *, url: Url = None, runner: RunnerName = None, as_json: Json = False) -> None:
    """Show everything that is stored about a schedule.

    If the application has a codec, pass its runner: --runner app.jobs:runner.

    With --json: an object with the keys name, rule, kind, payload, queue,
    priority, max_attempts, tags, meta, unique_key, zone, start, end, missed,
    window (seconds), declared, next_tick, last_tick, paused, revision,
    created_at and updated_at. If the codec cannot decode the payload,
    payload_error says why.
    """
    with opened_for(runner, url) as (store, application):
        schedule, unread = decoded(application, schedule_calls.find(store, name))
    if as_json:
        show.document(_document(schedule) | {f"{field}_error": why for field, why in unread.items()})
        return
    now = datetime.now(UTC)
    table = show.table("", "value", narrow={"value": 40}, fold=("value",), has_header=False)
    table.add_row(show.text("explained", "dim"), show.text(schedule.parsed().explain()))
    for field, value in schedule._asdict().items():
        if field != "payload" and value is not None:
            table.add_row(show.text(field, "dim"), show.field(value, now))
    why = [show.text(text, "red") for text in unread.values()]
    show.put(table, show.text(), show.text("payload", "bold"), *why, show.content(schedule.payload))


@app.command("pause", epilog=examples("tallystick schedules pause report"))
def pause(names: Names, *, url: Url = None, as_json: Json = False) -> None:
    """Pause schedules: no tick fires until they are resumed.

    Exits with 1 if none of the schedules exists.

    With --json: an array of the names that are paused now.
    """
    _each(names, "paused", schedule_calls.pause, url, as_json=as_json)


@app.command("resume", epilog=examples("tallystick schedules resume report"))
def resume(names: Names, *, url: Url = None, as_json: Json = False) -> None:
    """Resume schedules. Ticks during the pause do not fire.

    Exits with 1 if none of the schedules exists.

    With --json: an array of the names that are not paused now.
    """
    _each(names, "resumed", schedule_calls.resume, url, as_json=as_json)


@app.command("remove", epilog=examples("tallystick schedules remove report"))
def remove(names: Names, *, url: Url = None, as_json: Json = False) -> None:
    """Remove schedules. Their jobs stay.

    A worker stores a schedule again when it starts, if its code declares it.
    Exits with 1 if none of the schedules exists.

    With --json: an array of the removed names.
    """
    _each(names, "removed", _remove, url, as_json=as_json)


@app.command("run", epilog=examples("tallystick schedules run report", "tallystick schedules run report --json"))
def run(name: Name, *, url: Url = None, as_json: Json = False) -> None:
    """Insert a job of a schedule now, in addition to its ticks.

    With --json: an object with the key id, the id of the job.
    """
    with opened(url) as store:
        id = schedule_calls.run_now(store, name).record.id
    if as_json:
        show.document({"id": id})
    else:
        typer.echo(f"inserted job: {id}")


@app.command("next", epilog=examples("tallystick schedules next report", "tallystick schedules next report --count 20"))
def next_ticks(
    name: Name,
    *,
    count: Annotated[int, typer.Option(min=1, max=1_000, help="How many ticks to show.")] = 5,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the next ticks of a schedule, as if it were not paused.

    With --json: an array of times.
    """
    with opened(url) as store:
        schedule = schedule_calls.find(store, name)
    now = datetime.now(UTC)
    ticks = schedule_calls.next_ticks(schedule, now, count)
    if as_json:
        show.document(ticks)
        return
    table = show.table("UTC", "zone", "")
    for tick in ticks:
        table.add_row(f"{tick:%Y-%m-%d %H:%M:%S}", schedule_calls.local(schedule, tick), relative(tick, now))
    show.put(table)


def _remove(store: Backend, name: str) -> None:
    if not schedule_calls.remove(store, name):
        raise ScheduleNotFound(f"schedule {name!r} was not found; check its name")


def _each(
    names: list[str], done: str, change: Callable[[Backend, str], object], url: str | None, *, as_json: bool
) -> None:
    """Change each schedule that exists, and report the others."""
    changed = []
    with opened(url) as store:
        for name in dict.fromkeys(names):
            try:
                change(store, name)
            except ScheduleNotFound:
                typer.echo(f"not {done}: {show.printable(name)}: no such schedule", err=True)
            else:
                changed.append(name)
    if as_json:
        show.document(changed)
    else:
        for name in changed:
            typer.echo(f"{done}: {show.printable(name)}")
    if not changed:
        raise typer.Exit(1)


def _document(schedule: Schedule) -> dict[str, object]:
    return schedule._asdict() | {"window": schedule.window.total_seconds()}
