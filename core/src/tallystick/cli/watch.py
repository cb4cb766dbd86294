"""Redraw a view on the terminal until Ctrl-C."""

import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING

from ..errors import Unavailable
from . import show

if TYPE_CHECKING:
    from rich.text import Text

    from .tables import Table

_CLEAR, _HOME, _END_OF_LINE, _BELOW = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"
_TITLE = 2
"""The lines above the view."""


def watch(view: "Callable[[int], Sequence[Table | Text]]", interval: float) -> None:
    """Draw a view again and again. While the store is unavailable, draw the error. Ctrl-C returns.

    Args:
        view: Returns the tables and texts that fit this number of lines.
        interval: The seconds between two reads.
    """
    try:
        sys.stdout.write(_CLEAR)
        while True:
            _draw(view, interval)
            sleep(interval)
    except KeyboardInterrupt:
        sys.stdout.write("\n")


def _draw(view: "Callable[[int], Sequence[Table | Text]]", interval: float) -> None:
    width, height = shutil.get_terminal_size()
    title = f"every {interval:g} s  {datetime.now(UTC):%H:%M:%S} UTC  Ctrl-C ends"
    try:
        parts = view(height - _TITLE - 1)
    except Unavailable as exc:
        parts = [show.text(f"error: {show.one_line(str(exc))}", "red")]
    lines = [*show.rendered([show.text(title[:width], "dim"), show.text()], width), *show.rendered(parts, width)]
    sys.stdout.write(_HOME + f"{_END_OF_LINE}\n".join(lines[: height - 1]) + _END_OF_LINE + "\n" + _BELOW)
    sys.stdout.flush()
