"""The rows of the tables, as text without markup."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from ..control.counts import JobCount
from ..control.failures import FailureGroup
from ..control.overview import Overview, QueueDocument, WorkerDocument
from ..pages.words import Words

_BARS = "▁▂▃▄▅▆▇█"
_BAR_MINUTES = 6
_NAME = 15
_ACCENT = "#8fa8ff"
_BAD = "#ff8f85"
_WARN = "#e0ac4d"
NO_VALUE = "-"
_PLAIN = {"\N{NO-BREAK SPACE}": " "}

_STYLES = {"active": "#62c98c", "draining": _WARN, "lost": f"bold {_BAD}", "paused": _WARN}

Row = tuple[Text, ...]


def queue_row(queue: QueueDocument, words: Words) -> Row:
    """Return the row of a queue."""
    age = queue.oldest_due_age
    return (
        _queue_name(queue),
        right(words.counted(queue.waiting)),
        right(words.counted(queue.running)),
        right(words.counted(queue.due)),
        right(NO_VALUE if age is None else words.span(age), f"bold {_BAD}" if queue.late else ""),
        right(words.number(queue.ended)),
        right(words.percent(queue.error_rate) if queue.ended else NO_VALUE, _BAD if queue.failing else ""),
        Text(bars(queue.by_minute), _ACCENT),
    )


def _queue_name(queue: QueueDocument) -> Text:
    if not queue.paused:
        return shortened(queue.name, _NAME)
    return Text.assemble(shortened(queue.name, _NAME - len(" paused")), (" paused", _STYLES["paused"]))


def failure_row(group: FailureGroup, words: Words, now: datetime) -> Row:
    """Return the row of a group of failures."""
    return (
        shortened(group.error_type, 24, _BAD),
        shortened(group.kind, 20),
        right(words.capped(group.discarded, group.complete)),
        right(words.capped(group.retrying, group.complete)),
        Text(words.relative(group.latest_at, now)),
    )


def worker_row(worker: WorkerDocument, words: Words, now: datetime) -> Row:
    """Return the row of a worker."""
    return (
        shortened(f"{worker.host} {worker.pid}", 24),
        Text(worker.state, _STYLES[worker.state]),
        right(f"{worker.busy}/{worker.concurrency}"),
        shortened(", ".join(worker.queues), 20),
        Text(words.relative(worker.started_at, now)),
    )


def totals(overview: Overview, words: Words) -> Text:
    """Return the counts by state in one line."""
    return Text.assemble(*_parts(overview, words))


def _parts(overview: Overview, words: Words) -> Iterator[str | tuple[str, str]]:
    for index, (state, jobs) in enumerate(overview.by_state.items()):
        yield "  " if index else ""
        yield words.counted(jobs), "bold"
        yield f" {state.value}", "dim"


def bars(by_minute: Sequence[int]) -> str:
    """Return a chart of an hour: one bar for six minutes."""
    sums = [sum(by_minute[start : start + _BAR_MINUTES]) for start in range(0, len(by_minute), _BAR_MINUTES)]
    top = max(sums, default=0)
    return "".join(_BARS[-(-each * (len(_BARS) - 1) // top)] if top else _BARS[0] for each in sums)


def shortened(text: str, width: int, style: str = "") -> Text:
    """Return a text of at most some characters. Characters that a terminal would act on are replaced."""
    clean = "".join(c if c.isprintable() else _PLAIN.get(c, "\N{REPLACEMENT CHARACTER}") for c in text)
    return Text(clean if len(clean) <= width else f"{clean[: width - 1]}…", style)


def jobs(count: JobCount, words: Words) -> str:
    """Return a number of jobs."""
    return f"{words.counted(count)} job{'s' * (count.count != 1)}"


def right(text: str, style: str = "") -> Text:
    """Return a number, aligned to the right."""
    return Text(text, style, justify="right")


QUEUE_COLUMNS: Row = (
    Text("queue"),
    *map(right, ("waiting", "running", "due", "oldest", "done/h", "errors")),
    Text("last hour"),
)
FAILURE_COLUMNS: Row = (Text("error"), Text("kind"), right("discarded"), right("retrying"), Text("latest"))
WORKER_COLUMNS: Row = (Text("worker"), Text("state"), right("busy"), Text("queues"), Text("since"))
