"""`tallystick demo --files`: run real jobs on real input, from enqueue to results."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING
from uuid import UUID

from .. import demo_files as jobs
from ..contract.records import Record
from ..contract.state import FINAL, State
from ..errors import InvalidArgument
from ..runner.runner import Runner
from ..urls import redact
from . import show
from .next_commands import next_commands

if TYPE_CHECKING:
    from rich.text import Text

    from .tables import Table

_BATCH = 500
_REFRESH = 0.1
_PACKAGES = 8


def read_files(path: Path | None, backend: str, concurrency: int) -> None:
    """Run a job for each Python file below a directory, or of the standard library, and print what they found."""
    root = path or jobs.standard_library()
    sources = jobs.find_sources(root)
    if not sources:
        raise InvalidArgument(f"no .py files found in {root}; choose another --path")
    logging.getLogger("tallystick").setLevel(logging.CRITICAL)  # the demo shows failures itself
    warnings.simplefilter("ignore", SyntaxWarning)
    with Runner(backend, concurrency=concurrency, poll=timedelta(seconds=_REFRESH)) as runner:
        runner.register(jobs.ReadSource)
        began = monotonic()
        ids = [handle.id for some in _batches(sources) for handle in runner.enqueue_batch(some)]
        enqueued = monotonic()
        runner.start()
        _follow(runner, ids)
        finished = monotonic()
        records = list(_records(runner, ids))
    show.put(*_tables(root, records))
    show.put(
        show.text(f"{len(ids):,} jobs on {redact(backend)}: enqueued in {enqueued - began:.1f} s,"),
        show.text(f"worked in {finished - enqueued:.1f} s, {len(ids) / (finished - enqueued):,.0f} jobs/s\n", "bold"),
        *next_commands(backend, "jobs list --state discarded", f"jobs show {_failed(records)}"),
    )


def _batches(sources: Sequence[jobs.ReadSource]) -> Iterator[Sequence[jobs.ReadSource]]:
    return (sources[start : start + _BATCH] for start in range(0, len(sources), _BATCH))


def _records(runner: Runner, ids: Sequence[UUID]) -> Iterator[Record]:
    for start in range(0, len(ids), _BATCH):
        yield from runner.backend.get(ids[start : start + _BATCH]).values()


def _follow(runner: Runner, ids: Sequence[UUID]) -> None:
    """Show a progress bar until all jobs have finished."""
    from rich.console import Console  # noqa: PLC0415  # rich is slow to import
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(ids))
        left = list(ids)
        while left:
            sleep(_REFRESH)
            finished = {record.id for record in _records(runner, left[:_BATCH]) if record.state in FINAL}
            left = [id for id in left if id not in finished]
            seen = runner.snapshot()
            ends = f"[green]{seen.completed} completed [yellow]{seen.retried} retried [red]{seen.discarded} discarded"
            progress.update(task, completed=len(ids) - len(left), description=ends)


def _tables(root: Path, records: Sequence[Record]) -> "Iterator[Table | Text]":
    """Yield tables of the stored results and of the jobs' states."""
    results = [jobs.Reading.model_validate_json(record.result) for record in records if record.result]
    totals = jobs.Totals.of(results)
    packages = show.table("package", "#files", "#lines", "#functions")
    for name, lines in totals.lines.most_common(_PACKAGES):
        packages.add_row(show.text(name), f"{totals.files[name]:,}", f"{lines:,}", f"{totals.functions[name]:,}")
    sums = (f"{counts.total():,}" for counts in (totals.files, totals.lines, totals.functions))
    packages.add_row(show.text(f"all of {root}", "bold"), *sums, style="bold")
    yield packages
    if totals.longest:
        longest = totals.longest
        where = f"{longest.longest_function} in {longest.path}, {longest.longest_lines:,} lines"
        yield show.text(f"\nlongest function: {where}\n")
    states = show.table("state", "#jobs", "#attempts")
    for state in State:
        of_state = [record for record in records if record.state is state]
        if of_state:
            attempts = sum(record.attempt for record in of_state)
            states.add_row(show.state(state), f"{len(of_state):,}", f"{attempts:,}")
    yield states
    yield show.text()


def _failed(records: Sequence[Record]) -> UUID:
    return next((record for record in records if record.state is State.DISCARDED), records[0]).id
