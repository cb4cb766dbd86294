"""The command `tallystick conform` as others see it in a list; what it needs is imported when it is run."""

from typing import Any

import typer
from typer.core import TyperGroup

HELP = "Test a backend against the contract: `tallystick conform URL`."


class _Lazy(TyperGroup):
    """Stands for the real group, which needs Hypothesis and pytest."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Return a context of the real group."""
        from .command import conform_app  # noqa: PLC0415 - Hypothesis and pytest are slow to import

        return typer.main.get_command(conform_app).make_context(*args, **extra)


conform = typer.Typer(cls=_Lazy, help=HELP)
