"""Progress of a run: a bar on a terminal, lines elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from math import inf
from time import monotonic
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..contract.clauses import family
from ..mutants.mutant import Verdict
from ..mutants.table import fate
from ..reports.result import Result, Status

OnStart = Callable[[str], None]
OnProgress = Callable[[Result], None]

_BRIEF, _QUIET = 1.0, 10.0
"""The least seconds between two lines, and the most between two lines of one long family."""


def bar() -> Progress:
    """Return a progress bar that disappears at the end."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not _is_watched(console))


def _is_watched(console: Console) -> bool:
    return console.is_terminal and not os.environ.get("CI")


@contextmanager
def watching(total: int) -> Iterator[tuple[OnStart, OnProgress]]:
    """Show the current clause and the number of judged clauses; on a terminal, failed clauses stay on the screen."""
    if not _is_watched(Console(stderr=True)):
        lines = Lines(total, sys.stderr)
        yield lines.on_start, lines.on_progress
        return
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
    """Show how many mutants have a verdict.

    A terminal gets a bar and a line for each mutant that was not killed; elsewhere each mutant gets a line.
    """
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


class Lines:
    """Progress for a log: a line per family of clauses, at most one a second, and one every ten seconds after that."""

    def __init__(self, total: int, out: TextIO, *, clock: Callable[[], float] = monotonic) -> None:
        self._total, self._out, self._clock = total, out, clock
        self._began = clock()
        self._written = -inf
        self._judged: set[str] = set()
        self._family = ""

    def on_start(self, what: str) -> None:
        """Write a line, unless the last one is too recent."""
        now, name = self._clock(), family(what).partition(":")[0]
        if now - self._written >= (_QUIET if name == self._family else _BRIEF):
            self._family, self._written = name, now
            print(f"{now - self._began:6.1f} s  {len(self._judged)}/{self._total}  {what}", file=self._out, flush=True)

    def on_progress(self, result: Result) -> None:
        """Count a clause, and write a line if it failed."""
        self._judged.add(result.clause_id)
        if result.status in (Status.VIOLATED, Status.ERROR):
            seconds = self._clock() - self._began
            print(f"{seconds:6.1f} s  {result.clause_id} {result.status}", file=self._out, flush=True)
