"""`tallystick queues`: list, pause and resume queues."""

from typing import Annotated

import typer

from ..contract.records import Queue
from . import show
from .groups import Group
from .options import Json, Url, examples, opened

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, pause and resume queues.")

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Names of the queues.", show_default=False)]


@app.command("list", epilog=examples("tallystick queues list", "tallystick queues list --json"))
def list_queues(*, url: Url = None, as_json: Json = False) -> None:
    """List the known queues: each was inserted into or paused at some time.

    With --json: an array of objects with the keys name and paused.
    """
    with opened(url) as store:
        queues = store.queues()
    if as_json:
        show.document([queue._asdict() for queue in queues])
        return
    table = show.table("queue", "state", narrow={"queue": 12})
    for queue in queues:
        table.add_row(show.text(queue.name), _state(queue))
    show.listed(table, "no queues")


@app.command("pause", epilog=examples("tallystick queues pause emails reports"))
def pause(names: Names, *, url: Url = None, as_json: Json = False) -> None:
    """Pause queues on every worker until they are resumed.

    Running jobs continue. You can pause a queue that has no jobs yet.

    With --json: an array of objects with the keys name and paused.
    """
    with opened(url) as store:
        for name in names:
            store.pause(name)
    _report([Queue(name, paused=True) for name in names], as_json=as_json)


@app.command("resume", epilog=examples("tallystick queues resume emails reports"))
def resume(names: Names, *, url: Url = None, as_json: Json = False) -> None:
    """Resume paused queues.

    Exits with 1 if none of the queues is known.

    With --json: an array of objects with the keys name and paused; unknown
    queues are left out.
    """
    with opened(url) as store:
        for name in names:
            store.resume(name)
        known = {queue.name for queue in store.queues()}
    for name in names:
        if name not in known:
            typer.echo(f"not resumed: {show.printable(name)}: no such queue", err=True)
    _report([Queue(name, paused=False) for name in names if name in known], as_json=as_json)
    if known.isdisjoint(names):
        raise typer.Exit(1)


def _report(queues: list[Queue], *, as_json: bool) -> None:
    if as_json:
        show.document([queue._asdict() for queue in queues])
        return
    for queue in queues:
        typer.echo(f"{'paused' if queue.paused else 'resumed'}: {show.printable(queue.name)}")


def _state(queue: Queue) -> str:
    return "[yellow]paused[/yellow]" if queue.paused else "[green]open[/green]"
