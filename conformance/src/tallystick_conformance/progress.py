"""How a run goes on, on a terminal; nothing in a pipe or in CI."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .report import Result, Status


def bar() -> Progress:
    """Return a progress bar that is gone in the end."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    quiet = not console.is_terminal or bool(os.environ.get("CI"))
    return Progress(*columns, console=console, transient=True, disable=quiet)


@contextmanager
def watching(total: int) -> Iterator[tuple[Callable[[str], None], Callable[[Result], None]]]:
    """Show what is tested, and how many clauses are; a clause that fails stays on the screen."""
    with bar() as progress:
        task = progress.add_task("setting up", total=total)
        judged = set()

        def on_start(what: str) -> None:
            progress.update(task, description=what)

        def on_progress(result: Result) -> None:
            judged.add(result.clause_id)
            progress.update(task, completed=len(judged))
            if result.status in (Status.VIOLATED, Status.ERROR):
                progress.console.print(f"{result.clause_id} [red]{result.status}")

        yield on_start, on_progress
