"""The screen: the sentence that says whether all is well, queues, failures and workers."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static

from ..control.counts import JobCount
from ..control.failures import FailureGroup
from ..control.plane import ControlPlane
from ..pages.translations import translations
from ..pages.words import Words
from ..problems import as_rejection
from .confirm import Confirm
from .rows import (
    FAILURE_COLUMNS,
    QUEUE_COLUMNS,
    WORKER_COLUMNS,
    Row,
    failure_row,
    jobs,
    queue_row,
    shortened,
    totals,
    worker_row,
)
from .store import TopStore, View

T = TypeVar("T")


_NEXT = ("tab", "app.focus_next", "Next table")


class QueueTable(DataTable[Text]):
    """The queues."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("p", "app.pause", "Pause queue"),
        ("r", "app.resume", "Resume queue"),
        _NEXT,
    ]


class FailureTable(DataTable[Text]):
    """The failures, in groups."""

    BINDINGS: ClassVar[list[BindingType]] = [("t", "app.retry", "Retry these jobs"), _NEXT]


class WorkerTable(DataTable[Text]):
    """The workers."""

    BINDINGS: ClassVar[list[BindingType]] = [_NEXT]


class Top(App[None]):
    """The overview of a store, read again at each interval."""

    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def __init__(self, plane: ControlPlane, shown: str) -> None:
        super().__init__()
        self.title = self._shown = shown
        self._store = TopStore(plane)
        self._interval = plane.settings.interval.total_seconds()
        self._words = Words(translations("en"), "en")
        self._groups: dict[str, FailureGroup] = {}
        self._reads = False

    def compose(self) -> ComposeResult:
        """Make the parts of the screen."""
        yield Static("reading…", id="headline", markup=False)
        yield Static(id="totals", markup=False)
        yield Static(shortened(self._shown, 78), id="store", markup=False)
        yield Static("Queues", classes="title")
        yield QueueTable(id="queues", cursor_type="row", cursor_foreground_priority="renderable")
        yield Static("Failures, 24 hours", classes="title")
        yield FailureTable(id="failures", cursor_type="row", cursor_foreground_priority="renderable")
        yield Static("Workers", classes="title")
        yield WorkerTable(id="workers", cursor_type="row", cursor_foreground_priority="renderable")
        yield Footer()

    def on_mount(self) -> None:
        """Read the store now, and at each interval."""
        for id, columns in (("queues", QUEUE_COLUMNS), ("failures", FAILURE_COLUMNS), ("workers", WORKER_COLUMNS)):
            self.query_one(f"#{id}", DataTable).add_columns(*columns)
        self.query_one("#queues").focus()
        self.read()
        if self._interval:
            self.set_interval(self._interval, self.read)

    @work
    async def read(self) -> None:
        """Read and show the numbers, unless a slow read still runs."""
        if self._reads:
            return
        self._reads = True
        try:
            if (view := await self._call(self._store.read)) is not None:
                self._show(view)
        finally:
            self._reads = False

    async def _call(self, function: Callable[[], T]) -> T | None:
        """Call the store in a thread. If it fails, show why, and return None."""
        try:
            return await asyncio.to_thread(function)
        except Exception as exc:
            if (rejection := as_rejection(exc)) is None:
                raise
            self.notify(rejection.message, severity="error", markup=False)
            return None

    def _show(self, view: View) -> None:
        found, words = view.overview, self._words
        headline = self.query_one("#headline", Static)
        headline.update(shortened(words.headline(found), 200))
        headline.set_class(not found.well, "bad")
        self.query_one("#totals", Static).update(totals(found, words))
        at = f"{found.at.astimezone():%H:%M:%S}"
        self.query_one("#store", Static).update(shortened(f"{self._shown}, {at}", 78))
        self._groups = {f"{group.error_type}\n{group.kind}": group for group in view.failures}
        self._fill("queues", {queue.name: queue_row(queue, words) for queue in found.queues})
        self._fill("failures", {key: failure_row(each, words, found.at) for key, each in self._groups.items()})
        self._fill("workers", {each.worker: worker_row(each, words, found.at) for each in found.workers})

    def _fill(self, id: str, rows: Mapping[str, Row]) -> None:
        """Replace the rows of a table. The cursor stays on its row."""
        table: DataTable[Text] = self.query_one(f"#{id}", DataTable)
        at = self._cursor(id)
        table.clear()
        for key, row in rows.items():
            table.add_row(*row, key=key)
        if at in rows:
            table.move_cursor(row=table.get_row_index(at), animate=False)

    def _cursor(self, id: str) -> str:
        """Return the key of the row at the cursor of a table; an empty text if the table is empty."""
        table: DataTable[Text] = self.query_one(f"#{id}", DataTable)
        if not table.row_count:
            return ""
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""

    def action_pause(self) -> None:
        """Pause the queue at the cursor."""
        self._set_paused(paused=True)

    def action_resume(self) -> None:
        """Resume the queue at the cursor."""
        self._set_paused(paused=False)

    @work
    async def _set_paused(self, *, paused: bool) -> None:
        if queue := self._cursor("queues"):
            await self._call(lambda: self._store.set_paused(queue, paused=paused))
            self.read()

    @work
    async def action_retry(self) -> None:
        """Ask, and retry the failures at the cursor."""
        if (group := self._groups.get(self._cursor("failures"))) is None:
            return
        if (preview := await self._call(lambda: self._store.preview_retry(group))) is None:
            return
        count = jobs(JobCount(count=preview.count, complete=preview.complete), self._words)
        error = shortened(group.error_type, 100).plain
        if not await self.push_screen_wait(Confirm(f"Retry {count} of {group.kind} with {error}?")):
            return
        if (done := await self._call(lambda: self._store.retry(group))) is not None:
            changed = jobs(JobCount(count=done.changed, complete=True), self._words)
            self.notify(f"Retried {changed}.", markup=False)
            if done.error:
                self.notify(done.error, severity="error", markup=False)
        self.read()
