"""Commands to try after a demo."""

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from ..hooks.plugins import GROUP
from . import show

if TYPE_CHECKING:
    from rich.text import Text


def next_commands(backend: str, *arguments: str) -> "Iterator[Text]":
    """Yield commands to try on the store, the dashboard first, unless the store was in memory and is gone."""
    if backend.startswith("memory:"):
        return
    command = "uv run tallystick" if "UV" in os.environ else "tallystick"
    dashboard = [f"dashboard '{backend}'"] if entry_points(group=GROUP, name="dashboard") else []
    yield show.text("Next, try:")
    yield show.text(f"  export TALLYSTICK_BACKEND='{backend}'")
    for each in (*dashboard, "stats", *arguments):
        yield show.text(f"  {command} {each}")
