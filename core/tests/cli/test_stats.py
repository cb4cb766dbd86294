from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import Backend, MeterDelta, NewRecord

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
    none = dict.fromkeys(stats["by_state"], 0)
    assert stats["by_queue"] == {
        "default": {"total": 1, "due": 0, "oldest_due": None, "paused": False, "by_state": none | {"pending": 1}},
        "emails": {
            "total": 2,
            "due": 2,
            "oldest_due": f"{due:%Y-%m-%dT%H:%M:%S.%f}Z",
            "paused": True,
            "by_state": none | {"pending": 2},
        },
    }


def test_an_empty_store_has_stats(cli: Cli) -> None:
    """Stats of an empty store are all zero, and the exit code is 0."""
    assert cli("stats").code == 0
    assert cli("stats", "--json").json["total"] == 0


def _meter(store: Backend, ago: timedelta, **fields: Any) -> None:
    minute = (datetime.now(UTC) - ago).replace(second=0, microsecond=0)
    store.meter([MeterDelta(minute=minute, **{"queue": "emails", "kind": "a", **fields})])


def test_stats_of_a_span_shows_throughput_and_errors(cli: Cli, store: Backend) -> None:
    """`stats --last` adds up the attempts of a span, with the failed share and the mean times."""
    _meter(store, timedelta(minutes=5), completed=50, waiting=timedelta(seconds=300), running=timedelta(seconds=3))
    _meter(store, timedelta(0), completed=40, retried=8, discarded=2, waiting=timedelta(seconds=900))
    _meter(store, timedelta(0), kind="b", released=1, running=timedelta(hours=3))
    _meter(store, timedelta(hours=2), completed=7)
    header, a, b = cli("stats", "--last", "10m").out.splitlines()
    assert header.split() == [
        "queue",
        "kind",
        "ended",
        *(["per", "min", "errors", "discarded", "mean", "wait", "mean", "run"]),
    ]
    assert a.split() == ["emails", "a", "100", "10.0", "10.0%", "2", "12.0", "s", "30", "ms"]
    assert b.split() == ["emails", "b", "1", "0.1", "0.0%", "0", "0", "ms", "3", "h"]
    first, _ = cli("stats", "--last", "1h", "--json").json
    assert first == {
        "queue": "emails",
        "kind": "a",
        "completed": 90,
        "retried": 8,
        "discarded": 2,
        "released": 0,
        "cancelled": 0,
        "waiting": 12,
        "running": 0.03,
        "error_rate": 0.1,
    }
    assert cli("stats", "--last", "7d", "--json").json[0]["completed"] == 97


@pytest.mark.parametrize("span", ["1", "0m", "8d", "1w", "-5m", "", "1.5h", "99999999h"])
def test_an_invalid_span_is_rejected(cli: Cli, span: str) -> None:
    """A span that is no whole number of minutes, hours or days, or is too long, is a usage error."""
    result = cli("stats", f"--last={span}")
    assert result.code == 2
    assert "is not a span from 1m to 7d" in result.err
