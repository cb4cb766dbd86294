"""Output: tables and styled text for people, JSON documents for programs. Rich is imported on first use."""

import json
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from ..contract.failure import Failure
from ..contract.meta import Meta
from ..contract.state import State
from .times import relative

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from .tables import Table

STYLES = {
    State.PENDING: "cyan",
    State.RUNNING: "blue",
    State.RETRYING: "yellow",
    State.COMPLETED: "green",
    State.DISCARDED: "red",
    State.CANCELLED: "magenta",
}

_WIDTH = 1_000
_HEX_LENGTH = 64


def put(*parts: "Table | Text") -> None:
    """Print tables and text for people. In a pipe, each row is one line, and nothing is cut."""
    if lines := list(rendered(parts, terminal_width())):
        typer.echo("\n".join(lines))


def listed(table: "Table", none: str) -> None:
    """Print a table. If it has no rows, say so on stderr, below its header."""
    is_empty = not table.has_rows
    put(table)
    if is_empty:
        typer.echo(none, err=True)


def rendered(parts: "Sequence[Table | Text]", width: int | None) -> Iterator[str]:
    """Yield the lines of tables and text, with colours for a terminal, whose width is given, and without for None."""
    from rich.console import Console  # noqa: PLC0415  # saves 70 ms for `--json` and `--version`

    from .tables import Table  # noqa: PLC0415  # imports Rich

    console = Console(width=_WIDTH, highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    for part in parts:
        for text in part.lines(width) if isinstance(part, Table) else [part]:
            for line in (text.plain if width is None else _coloured(text, console)).split("\n"):
                yield line.rstrip()


def _coloured(text: "Text", console: "Console") -> str:
    with console.capture() as captured:
        console.print(text, soft_wrap=True)
    return captured.get().removesuffix("\n")


def terminal_width() -> int | None:
    """Return the width of the terminal; None if stdout is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(*columns: str, **fit: Any) -> "Table":
    """Return an empty table. A column named `#...` holds numbers. `Table` explains the other options."""
    from .tables import Table  # noqa: PLC0415  # imports Rich

    return Table(*columns, **fit)


def text(value: object = "", style: str = "") -> "Text":
    """Return a value as literal text, with unprintable characters escaped."""
    from rich.text import Text  # noqa: PLC0415  # see `put`

    return Text(printable(str(value)), style)


def state(value: State) -> "Text":
    """Return a state in its colour."""
    return text(value, STYLES[value])


def content(data: bytes) -> "Text":
    """Return a payload or a result as indented JSON, or else as its size and its first bytes in hex."""
    from rich.highlighter import JSONHighlighter  # noqa: PLC0415  # see `put`

    if not data:
        return text("empty", "dim")
    try:
        value = _loads(data)
    except ValueError:
        more = " ..." if len(data) > _HEX_LENGTH else ""
        return text(f"{len(data):,} bytes, not JSON: {data[:_HEX_LENGTH].hex(' ')}{more}")
    return JSONHighlighter()(text(json.dumps(value, indent=2, ensure_ascii=False)))


def field(value: object, now: datetime) -> "Text | str":
    """Return the value of a field in one line."""
    match value:
        case State():
            return state(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S.%f} UTC ({relative(value, now)})"
        case bool():
            return "yes" if value else "no"
        case Meta():
            return text(", ".join(f"{key}={item}" for key, item in value.items()) or "-")
        case tuple():
            return text(", ".join(value) or "-")
        case _:
            return text(value)


def document(value: object) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, indent=2, default=_encoded))


def array(values: Iterable[object]) -> None:
    """Print one JSON array. Each element is printed before the next one is computed."""
    separator = "["
    for value in values:
        element = json.dumps(value, indent=2, default=_encoded).replace("\n", "\n  ")
        typer.echo(f"{separator}\n  {element}", nl=False)
        separator = ","
    typer.echo("[]" if separator == "[" else "\n]")


def printable(value: str) -> str:
    """Escape characters that could move the cursor, recolour the terminal or fail to encode."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in value)


def one_line(value: str) -> str:
    """Return a message as one printable line."""
    return printable(" ".join(value.split()))


def _encoded(value: object) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case Failure():
            return asdict(value)
        case Meta():
            return dict(value)
        case bytes():
            try:
                return _loads(value)
            except ValueError:
                return {"base64": b64encode(value).decode()}
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form here")


def _loads(data: bytes) -> object:
    """Read strict JSON in UTF-8. Rejects values that JSON cannot write, such as NaN or 1e999."""
    try:
        value = json.loads(data.decode())
        json.dumps(value, allow_nan=False)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    return value
