"""`tallystick bench`: measure a store, beside its own limits on this machine."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ..errors import ConfigurationError
from . import show
from .doctor import Store
from .options import examples

if TYPE_CHECKING:
    from ..bench.results import Result, Results

EXAMPLES = examples(
    "tallystick bench sqlite:///jobs.db",
    "tallystick bench postgresql://db/app --only drain --only enqueue --rounds 9",
    "tallystick bench postgresql://db/app --only depth --depth 1000000",
    "tallystick bench sqlite:///jobs.db --json bench.json --svg bench.svg",
)

_INTERVAL = 5.0
"""Seconds between two lines of progress, without a terminal."""

_OUT = "-"


def bench(
    url: Store = None,
    *,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Jobs in a drain. Slow works have fewer.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Do each work so often, in turn.")] = 5,
    depth: Annotated[
        int, typer.Option(min=1, metavar="N", help="Other jobs in the store, for the works at depth.")
    ] = 10_000,
    only: Annotated[
        list[str] | None, typer.Option(metavar="WORK", help="Only works whose name begins so, e.g. drain. Repeatable.")
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write JSON to a file, or - for stdout.")
    ] = None,
    svg_file: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", dir_okay=False, help="Write a chart to a file.")
    ] = None,
) -> None:
    """Measure how fast a store is, beside its own limits on this machine.

    The works: enqueue one by one, by threads and in batches; drain with one
    and two worker processes; enqueue and work at once; claim among many other
    jobs; pick up a job in an idle worker. The limits call the store directly,
    without a worker and handlers.

    Every work gets a new store in a namespace of its own beside the URL, and
    removes it. The jobs of your store are not touched, but its server is busy.

    With --json: an object with the keys tallystick, backend, distribution,
    date, machine, jobs, depth, rounds and results. A result has name, unit
    (jobs/s or ms), median, lowest, highest, rounds, limit and share_of_limit.
    """
    if not url:
        raise ConfigurationError("no store was selected; pass a URL, e.g. tallystick bench sqlite:///bench.db")
    from ..bench.machine import this_machine  # noqa: PLC0415  # only this command needs the package
    from ..bench.results import Results  # noqa: PLC0415
    from ..bench.rounds import measure  # noqa: PLC0415
    from ..bench.session import Sizes  # noqa: PLC0415
    from ..bench.works import chosen  # noqa: PLC0415

    _check_folders(json_file, svg_file)
    sizes, machine = Sizes(jobs, depth), this_machine()
    works = chosen(only or ())
    with _terminated_cleanly(), _progress() as report:
        measured = measure(url, works, sizes=sizes, rounds=rounds, report=report)
    results = Results.of(url, measured, sizes=sizes, rounds=rounds, machine=machine)
    if json_file != _OUT:
        _print(results)
    _write(results, json_file, svg_file)


def _check_folders(*files: str | Path | None) -> None:
    """Reject a file that cannot be written before minutes of measurements."""
    for file in files:
        if file is not None and file != _OUT and not Path(file).absolute().parent.is_dir():
            raise ConfigurationError(f"{str(file)!r} is in a folder that does not exist; create the folder first")


@contextmanager
def _terminated_cleanly() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that the stores are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the progress on stderr: one live line on a terminal, else a line at intervals."""
    if not sys.stderr.isatty():
        yield lines_at_intervals(lambda line: typer.echo(line, err=True))
        return
    from rich.console import Console  # noqa: PLC0415  # rich is slow to import

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(show.one_line(text))


def lines_at_intervals(put: Callable[[str], None], clock: Callable[[], float] = monotonic) -> Callable[[str], None]:
    """Return a function that prints the first line at once, and a later one only after an interval."""
    printed: float | None = None

    def report(text: str) -> None:
        nonlocal printed
        if printed is None or clock() - printed >= _INTERVAL:
            printed = clock()
            put(text)

    return report


def _write(results: "Results", json_file: str | None, svg_file: Path | None) -> None:
    if json_file == _OUT:
        show.document(results.document())
    elif json_file is not None:
        Path(json_file).write_text(json.dumps(results.document(), indent=2) + "\n", encoding="utf-8")
    if svg_file is not None:
        from ..bench.results_chart import results_chart  # noqa: PLC0415  # see `bench`

        svg_file.write_text(results_chart(results), encoding="utf-8")


def _print(results: "Results") -> None:
    from ..bench.machine import in_words  # noqa: PLC0415  # see `bench`
    from ..bench.works import JOBS, MILLISECONDS  # noqa: PLC0415

    rates = show.table("work", f"#{JOBS}", "#lowest", "#highest", "#of limit")
    times = show.table("latency", f"#{MILLISECONDS}", "#lowest", "#highest")
    for result in results.results:
        if result.unit == JOBS:
            share = results.share(result)
            rates.add_row(show.text(result.name), *_figures(result), "" if share is None else f"{share:.2f}")
        else:
            times.add_row(show.text(result.name), *_figures(result))
    tables = [table for table in (rates, times) if table.has_rows]
    show.put(*(part for table in tables for part in (table, show.text())))
    sizes = results.sizes
    show.put(
        show.text(f"{results.distribution}: medians of {results.rounds} rounds in turn; {sizes.jobs:,} jobs,"),
        show.text(f"{sizes.single:,} of them one by one; {sizes.depth:,} other jobs at depth."),
        show.text(f"{in_words(results.machine)}."),
    )


def _figures(result: "Result") -> list[str]:
    from ..bench.chart import figure  # noqa: PLC0415  # see `bench`

    return [figure(value) for value in (result.median, min(result.rounds), max(result.rounds))]
