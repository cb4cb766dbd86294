"""Ticks of schedules fire once, with any number of clients, or not at all."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from support import PATIENCE
from tallystick import Advance, Beat, Filter, InvalidArgument, MeterDelta, NewSchedule
from tallystick_sqlite import SqliteBackend

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLIENTS = 6


@pytest.fixture
def connection(path: Path, backend: SqliteBackend) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def hourly(name: str) -> NewSchedule:
    return NewSchedule(name=name, rule="every hour", kind="k", after=BEGIN)


def first(name: str) -> Advance:
    return Advance(name=name, revision=1, ticks=(BEGIN + HOUR,), next_tick=BEGIN + 2 * HOUR)


def test_clients_fire_each_tick_once(backend: SqliteBackend, url: str) -> None:
    """If several clients advance the same schedules at once, each schedule moves once, and each tick has one job."""
    names = ["a", "b", "c"]
    backend.put_schedules([hourly(name) for name in names])
    begin = Barrier(CLIENTS, timeout=PATIENCE)

    def work(number: int) -> list[bool]:
        applied: list[bool] = []
        with SqliteBackend.from_url(url) as client:
            client.schedules()
            for revision in range(1, 6):
                tick = BEGIN + revision * HOUR
                moves = [
                    Advance(name=name, revision=revision, ticks=(tick,), next_tick=tick + HOUR)
                    for name in (names if number % 2 else reversed(names))
                ]
                begin.wait()
                applied += client.advance(moves, now=tick)
        return applied

    with ThreadPoolExecutor(CLIENTS) as pool:
        applied = [one for found in pool.map(work, range(CLIENTS)) for one in found]
    assert sum(applied) == 15
    assert [each.revision for each in backend.schedules()] == [6, 6, 6]
    assert backend.count(Filter()) == 15


def test_a_schedule_moves_only_with_its_jobs(backend: SqliteBackend, connection: sqlite3.Connection) -> None:
    """If the table of jobs rejects the job of a tick, the schedule does not move."""
    backend.put_schedules([hourly("a")])
    before = backend.schedules()
    connection.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON tallystick_jobs BEGIN SELECT raise(ABORT, 'refused'); END"
    )
    with pytest.raises(Exception, match="refused"):
        backend.advance([first("a")], now=BEGIN + HOUR)
    connection.execute("DROP TRIGGER refuse")
    assert backend.schedules() == before
    assert backend.advance([first("a")], now=BEGIN + HOUR) == [True]


def test_a_purged_tick_does_not_fire_again(backend: SqliteBackend) -> None:
    """A client that repeats an advance after the record of its tick was deleted inserts no job."""
    backend.put_schedules([hourly("a")])
    assert backend.advance([first("a")], now=BEGIN + HOUR) == [True]
    backend.delete(Filter(), limit=9)
    assert backend.advance([first("a")], now=BEGIN + HOUR) == [False]
    assert backend.count(Filter()) == 0


@pytest.mark.parametrize(
    "change",
    [
        "kind = ''",
        "queue = cast(x'ff' as text)",
        "tags = 'oops'",
        "tags = '[1, null, \"\"]'",
        "meta = '{'",
        "meta = cast(x'ff' as text)",
        "priority = 99999999",
        "max_attempts = 0",
        "rule = 'never'",
        "zone = 'Nowhere'",
        "starts_at = -9223372036854775807, ends_at = 9223372036854775807",
        "window_micros = 9223372036854775807",
        "last_tick = -9223372036854775807",
        "paused = 7",
        "revision = 9000000000000000000",
    ],
)
def test_a_damaged_schedule_does_not_affect_others(
    backend: SqliteBackend, connection: sqlite3.Connection, change: str
) -> None:
    """A damaged row is listed or fires, or its advance is rejected; the other schedules fire."""
    backend.put_schedules([hourly("bad"), hourly("good")])
    connection.execute(f"UPDATE tallystick_schedules SET {change} WHERE name = 'bad'")
    assert [each.name for each in backend.schedules()] == ["bad", "good"]
    assert "good" in [each.name for each in backend.due_schedules(limit=9)]
    assert backend.advance([first("bad"), first("good")], now=BEGIN + HOUR)[1]
    assert backend.get([backend.schedules(["good"])[0].job(BEGIN + HOUR).id])
    assert backend.remove_schedules(["bad"]) == ["bad"]


@pytest.mark.parametrize("change", ["revision = 0", "missed = 'never'", "name = ''", "next_tick = 'now'"])
def test_the_table_rejects_unreadable_schedules(
    backend: SqliteBackend, connection: sqlite3.Connection, change: str
) -> None:
    """The table's constraints reject values that cannot be read as a schedule."""
    backend.put_schedules([hourly("a")])
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE tallystick_schedules SET {change}")


def test_a_damaged_worker_does_not_hide_others(
    backend: SqliteBackend, connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A beat that cannot be read is logged and skipped, and the worker can beat again."""

    def beat(name: str) -> None:
        described = Beat(worker=name, host="h", pid=1, version="1", queues=("q",), concurrency=1, started_at=BEGIN)
        backend.beat(described, ttl=HOUR, now=BEGIN)

    beat("a")
    beat("b")
    connection.execute("UPDATE tallystick_workers SET beat = '{}', seen_at = -9223372036854775807 WHERE name = 'a'")
    assert [each.worker for each in backend.workers()] == ["b"]
    assert "worker 'a' is not listed" in caplog.text
    beat("a")
    assert [(each.worker, each.seen_at, each.ttl) for each in backend.workers()] == [
        ("a", BEGIN, HOUR),
        ("b", BEGIN, HOUR),
    ]


def test_sums_of_meters_do_not_overflow(backend: SqliteBackend) -> None:
    """A sum beyond the largest integer stays at it, in one minute and over several."""
    most = timedelta(days=36_500)
    deltas = [MeterDelta(minute=BEGIN, queue="q", kind="k", completed=1, waiting=most) for _ in range(5_000)]
    backend.meter(deltas, now=BEGIN)
    backend.meter([*deltas, MeterDelta(minute=BEGIN + HOUR, queue="q", kind="k", waiting=most)], now=BEGIN + HOUR)
    [meter] = backend.meters(BEGIN, BEGIN + 2 * HOUR, step=timedelta(days=1))
    assert (meter.completed, meter.waiting // timedelta(microseconds=1)) == (10_000, 2**63 - 1)


@pytest.mark.parametrize("minutes", [1, 7, 60, 90, 24 * 60])
def test_meters_are_added_up_by_whole_steps(backend: SqliteBackend, minutes: int) -> None:
    """A step is never split, however long it is, and wherever the range begins and ends."""
    step, minute = minutes * timedelta(minutes=1), timedelta(minutes=1)
    first, last = BEGIN - 50 * HOUR + 13 * minute, BEGIN - 17 * minute
    times = [first + n * 11 * minute for n in range(270)]
    backend.meter([MeterDelta(minute=at, queue="q", kind="k", completed=n) for n, at in enumerate(times)], now=BEGIN)
    expected: Counter[datetime] = Counter()
    for n, at in enumerate(times):
        if at < last:
            expected[at - (at - EPOCH) % step] += n
    found = backend.meters(first, last, step=step)
    assert [(meter.since, meter.completed) for meter in found] == sorted(expected.items())


def test_a_rejected_minute_adds_nothing(backend: SqliteBackend) -> None:
    """If one minute is in the future, no delta of the call is added."""
    good, future = (MeterDelta(minute=at, queue="q", kind="k", completed=1) for at in (BEGIN, BEGIN + HOUR))
    with pytest.raises(InvalidArgument):
        backend.meter([good, future], now=BEGIN)
    assert backend.meters(BEGIN, BEGIN + HOUR, step=HOUR) == []
