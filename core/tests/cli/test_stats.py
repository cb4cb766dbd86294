from datetime import UTC, datetime, timedelta

from tallystick import Backend, NewRecord

from .conftest import Cli


def _seed(store: Backend) -> datetime:
    due = datetime.now(UTC) - timedelta(hours=2, minutes=1)
    store.insert([NewRecord(kind="b", queue="emails"), NewRecord(kind="a", queue="emails")], now=due)
    store.insert([NewRecord(kind="a", run_at=timedelta(days=1))])
    store.pause("emails")
    return due


def test_stats_counts_by_state_queue_and_kind(cli: Cli, store: Backend) -> None:
    """`stats` prints a table by state, by queue (with due jobs, age of the oldest, and pause) and by kind."""
    _seed(store)
    states, queues, kinds = (
        [line.split() for line in part.splitlines()] for part in cli("stats").out.strip().split("\n\n")
    )
    assert states[1] == ["pending", "3"]
    assert states[-1] == ["total", "3"]
    assert queues == [
        ["queue", "jobs", "due", "oldest", "due"],
        ["default", "1", "0", "-"],
        ["emails", "2", "2", "2", "h", "paused"],
    ]
    assert kinds == [["kind", "jobs"], ["a", "2"], ["b", "1"]]


def test_stats_as_json(cli: Cli, store: Backend) -> None:
    """`stats --json` has the numbers under the contract's names."""
    due = _seed(store)
    stats = cli("stats", "--json").json
    assert list(stats) == ["total", "by_state", "by_kind", "by_queue"]
    assert stats["total"] == 3
    assert stats["by_state"] == {
        "pending": 3,
        "running": 0,
        "retrying": 0,
        "completed": 0,
        "discarded": 0,
        "cancelled": 0,
    }
    assert stats["by_kind"] == {"a": 2, "b": 1}
    assert stats["by_queue"] == {
        "default": {"total": 1, "due": 0, "oldest_due": None, "paused": False},
        "emails": {"total": 2, "due": 2, "oldest_due": f"{due:%Y-%m-%dT%H:%M:%S.%f}Z", "paused": True},
    }


def test_an_empty_store_has_stats(cli: Cli) -> None:
    """Stats of an empty store are all zero, and the exit code is 0."""
    assert cli("stats").code == 0
    assert cli("stats", "--json").json["total"] == 0
