"""The class of command groups: it understands words from elsewhere, and suggests our commands and options."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from . import words


class Group(TyperGroup):
    """A group of commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return a command by our word, or by a word that means the same elsewhere."""
        word = args[0]
        if word not in self.commands:
            name = self.name or ""
            if ours := words.command_for(name, word):
                note(f"here, {word} is called {ours}", ctx)
                args = [ours, *args[1:]]
            elif hint := words.command_hint(name, word):
                ctx.fail(f"No such command {word!r}. Use: {hint}")
        return super().resolve_command(ctx, args)


def note(text: str, ctx: Any = None) -> None:
    """Print a note on stderr, but not while a shell completes the line."""
    if ctx is None or not ctx.resilient_parsing:
        typer.echo(f"note: {text}", err=True)


@contextmanager
def suggesting_options() -> Iterator[None]:
    """Add a suggestion to an error about an unknown option."""
    try:
        yield
    except Exception as exc:
        _suggest(exc)
        raise


def _suggest(exc: Any) -> None:
    option, ctx = getattr(exc, "option_name", None), getattr(exc, "ctx", None)
    if option and ctx is not None and (hint := words.option_hint(ctx.info_name, option)):
        exc.message, exc.possibilities = f"{exc.message}. Use: {hint}", None
