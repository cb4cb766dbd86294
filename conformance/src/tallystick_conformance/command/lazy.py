"""A stub of the command `tallystick conform`, which imports the real one when it runs."""

from typing import Any

import typer
from typer.core import TyperGroup

from . import HELP


class _Lazy(TyperGroup):
    """Stub of the real group, which imports Hypothesis and pytest."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Return a context of the real group."""
        from .app import conform_app  # noqa: PLC0415 - Hypothesis and pytest are slow to import

        return typer.main.get_command(conform_app).make_context(*args, **extra)


conform = typer.Typer(cls=_Lazy, help=HELP)
