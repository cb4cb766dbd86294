"""`tallystick setup`: create a store, or migrate it."""

from typing import Annotated

import typer

from ..urls import redact
from . import show
from .options import Json, Url, examples, opened

EXAMPLES = examples(
    "tallystick setup --backend sqlite:///jobs.db", "tallystick setup --sql postgresql://db/app > tallystick.sql"
)


def setup(
    store_url: Annotated[str | None, typer.Argument(metavar="URL", help="The store, instead of --backend.")] = None,
    *,
    url: Url = None,
    sql: Annotated[bool, typer.Option("--sql", help="Only print the SQL that creates an empty store.")] = False,
    as_json: Json = False,
) -> None:
    """Create the store, or migrate it. Safe to repeat.

    With --json: an object with the key backend, the URL without its password;
    with --sql also sql.
    """
    url = store_url or url
    with opened(url) as store:
        script = store.script() if sql else None
        if not sql:
            store.setup()
    shown = redact(url or "")
    if as_json:
        show.document({"backend": shown} if script is None else {"backend": shown, "sql": script})
    elif script is not None:
        typer.echo(script, nl=False)
    else:
        typer.echo(f"set up: {show.printable(shown)}")
