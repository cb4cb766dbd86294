"""Output: tables and styled text for people, JSON documents for programs. Rich is imported on first use."""

import json
from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from ..failure import Failure
from ..meta import Meta
from ..state import State

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

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
    """Print tables and text for people. Long lines are not wrapped, so that a pipe gets one job per line."""
    from rich.console import Console  # noqa: PLC0415  # saves 70 ms for `--json` and `--version`

    console = Console(width=_WIDTH, highlight=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=True)
    for line in captured.get().rstrip("\n").split("\n"):
        typer.echo(line.rstrip())


def table(*columns: str) -> "Table":
    """Return an empty table. A column named `#...` holds numbers."""
    from rich.table import Table  # noqa: PLC0415  # see `put`

    made = Table(box=None, pad_edge=False, header_style="dim", show_header=any(columns))
    for name in columns:
        made.add_column(name.lstrip("#"), no_wrap=True, justify="right" if name.startswith("#") else "left")
    return made


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


def document(value: object) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, indent=2, default=_encoded))


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
