"""`tallystick top`: the overview in a terminal of 80 columns, driven by textual's pilot."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import ConfigurationError, Runner, State
from tallystick_dashboard import DashboardSettings
from tallystick_dashboard.control.plane import ControlPlane
from tallystick_dashboard.top import command
from tallystick_dashboard.top.app import Top
from tallystick_dashboard.top.confirm import Confirm
from tallystick_dashboard.top.rows import bars, shortened
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from .application import add, add_attempts, add_worker, discard, retry

STORES = ("memory",)  # the calls are those of the API

Drive = Callable[[Pilot[None]], Awaitable[None]]


def drive(runner: Runner, steps: Drive, **settings: Any) -> Top:
    """Run the application with some steps of a user."""
    app = Top(ControlPlane(runner, DashboardSettings(interval=0, **settings)), "store")

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await steps(pilot)

    asyncio.run(run())
    return app


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no read and no action runs, or an action waits for an answer."""
    await pilot.pause()
    while any(not worker.is_finished for worker in pilot.app.workers) and not isinstance(pilot.app.screen, Confirm):
        await pilot.pause(0.001)
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def rows(pilot: Pilot[None], id: str) -> list[list[str]]:
    """Return the cells of a table as text."""
    table: DataTable[Any] = pilot.app.query_one(f"#{id}", DataTable)
    return [[cell.plain for cell in table.get_row_at(index)] for index in range(table.row_count)]


def line(pilot: Pilot[None], id: str) -> str:
    return str(pilot.app.query_one(f"#{id}", Static).content)


def test_the_overview_of_a_busy_store(runner: Runner) -> None:
    """The sentence, the counts, queues, failures and workers are those of the page."""
    now = datetime.now(UTC)
    add(runner.backend, run_at=now - timedelta(hours=1))
    discard(runner.backend, "KeyError")
    retry(runner.backend, "ValueError")
    add_worker(runner.backend)
    add_attempts(runner.backend, completed=30, discarded=1)

    async def look(pilot: Pilot[None]) -> None:
        assert line(pilot, "headline").startswith("The queue emails is late: 1 job due, the oldest since 1 h.")
        assert line(pilot, "store").startswith("store, ")
        assert pilot.app.query_one("#headline").has_class("bad")
        assert line(pilot, "totals").startswith("1 pending  0 running  1 retrying")
        [queue] = rows(pilot, "queues")
        assert queue[:4] == ["emails", "2", "0", "1"]
        assert [group[:4] for group in rows(pilot, "failures")] == [
            ["KeyError", "greet", "1", "0"],
            ["ValueError", "greet", "0", "1"],
        ]
        assert rows(pilot, "workers")[0][:3] == ["host-1 42", "active", "0/10"]

    drive(runner, look)


def test_a_queue_is_paused_and_resumed(runner: Runner) -> None:
    """`p` and `r` act on the queue at the cursor, which stays there."""
    add(runner.backend, queue="emails")
    add(runner.backend, queue="reports")

    async def pause(pilot: Pilot[None]) -> None:
        await press(pilot, "down", "p")
        assert [queue.paused for queue in runner.backend.queues()] == [False, True]
        assert rows(pilot, "queues")[1][0] == "reports paused"
        await press(pilot, "r")
        assert [queue.paused for queue in runner.backend.queues()] == [False, False]

    drive(runner, pause)


def test_failures_are_retried_after_a_question(runner: Runner) -> None:
    """`t` asks with the number of jobs. Only yes changes them."""
    ids = [discard(runner.backend, "KeyError") for _ in range(2)]
    other = discard(runner.backend, "ValueError")

    async def states() -> list[State]:
        found = runner.backend.get([*ids, other])
        return [found[id].state for id in (*ids, other)]

    async def again(pilot: Pilot[None]) -> None:
        await press(pilot, "tab", "t", "n")
        assert await states() == [State.DISCARDED] * 3
        await press(pilot, "t")
        assert isinstance(pilot.app.screen, Confirm)
        assert "Retry 2 jobs of greet with KeyError?" in str(pilot.app.screen.query(Static).first().content)
        await press(pilot, "y")
        assert await states() == [State.PENDING, State.PENDING, State.DISCARDED]
        assert [group[0] for group in rows(pilot, "failures")] == ["ValueError"]
        assert [notice.message for notice in pilot.app._notifications] == ["Retried 2 jobs."]

    drive(runner, again)


def test_a_read_only_terminal_changes_nothing(runner: Runner) -> None:
    """Each action is rejected with the reason."""
    add(runner.backend)
    id = discard(runner.backend)

    async def attempt(pilot: Pilot[None]) -> None:
        await press(pilot, "p", "tab", "t")
        assert not isinstance(pilot.app.screen, Confirm)

    app = drive(runner, attempt, read_only=True)
    assert [queue.paused for queue in runner.backend.queues()] == [False]
    assert runner.backend.get([id])[id].state is State.DISCARDED
    assert {notice.message for notice in app._notifications} == {
        "queues is not permitted: the dashboard is read-only",
        "requeue is not permitted: the dashboard is read-only",
    }


def test_an_empty_store_and_keys_without_a_row(runner: Runner) -> None:
    """Nothing is selected, so the keys do nothing."""

    async def look(pilot: Pilot[None]) -> None:
        await press(pilot, "p", "r", "tab", "t")
        assert line(pilot, "headline") == "No jobs yet."

    drive(runner, look)


def test_a_store_that_fails_is_reported(runner: Runner) -> None:
    """The message is shown, and the screen stays."""
    runner.close()

    async def look(pilot: Pilot[None]) -> None:
        assert len(pilot.app._notifications) == 1

    drive(runner, look)


@pytest.mark.parametrize(
    ("by_minute", "expected"),
    [([0] * 60, "▁" * 10), ([0] * 55 + [1, 0, 0, 0, 0], "▁" * 9 + "█"), ([1] * 60, "█" * 10), ([], "")],
)
def test_bars_of_an_hour(by_minute: list[int], expected: str) -> None:
    """One bar for six minutes; the highest is full."""
    assert bars(by_minute) == expected


def test_text_of_jobs_cannot_control_the_terminal() -> None:
    """Escape sequences and markup stay text."""
    assert shortened("\x1b[31m[red]", 20).plain == "\N{REPLACEMENT CHARACTER}[31m[red]"
    assert shortened("abcdef", 4).plain == "abc…"


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:  # noqa: D102  # as in its base
        return True


def test_a_missing_terminal_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe cannot show the screen."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(ConfigurationError, match="needs a terminal"):
        command.top("memory://", backend=None)


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without textual, the error has the extra to install."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delitem(sys.modules, "tallystick_dashboard.top.app")
    monkeypatch.setitem(sys.modules, "textual", None)
    with pytest.raises(ConfigurationError, match=r'install "tallystick\[top\]"'):
        command.top("memory://", backend=None)
