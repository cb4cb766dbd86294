"""How a run goes on: a bar on a terminal; in a pipe or in CI lines for mutants, and nothing for clauses."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .mutant import Verdict
from .report import Result, Status
from .tables import fate


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


@contextmanager
def counting(total: int) -> Iterator[Callable[[Verdict], None]]:
    """Show how many mutants have a verdict: a bar, with a line for each that was not killed, or a line for each."""
    done = count(1)
    with bar() as progress:
        task = progress.add_task("mutants", total=total)

        def on_verdict(verdict: Verdict) -> None:
            number = next(done)
            line = f"[{number}/{total}] {fate(verdict)}: {verdict.mutant.name} ({verdict.seconds:.1f} s)"
            progress.update(task, completed=number)
            if progress.disable:
                print(line, file=sys.stderr, flush=True)
            elif not verdict.killed:
                progress.console.print(line, markup=False, highlight=False)

        yield on_verdict
