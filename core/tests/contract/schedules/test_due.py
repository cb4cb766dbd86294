from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tallystick import Due, InvalidArgument, NewSchedule, Schedule, due_ticks

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def stored(rule: str, after: datetime, **fields: Any) -> Schedule:
    """Return a schedule that was stored at `after`."""
    return NewSchedule(name="report", kind="report", rule=rule, after=after, **fields).stored(after)


def test_nothing_is_due_before_the_next_tick() -> None:
    """Until next_tick, no tick fires, and next_tick stays."""
    schedule = stored("@hourly", NOON)
    assert due_ticks(schedule, NOON + HOUR - SECOND) == Due((), NOON + HOUR)


def test_a_paused_or_ended_schedule_has_no_due_ticks() -> None:
    """A schedule that is paused, or has no next tick, fires nothing."""
    schedule = stored("@hourly", NOON)
    assert due_ticks(schedule._replace(paused=True), NOON + 2 * HOUR) == Due((), NOON + HOUR)
    assert due_ticks(schedule._replace(next_tick=None), NOON + 2 * HOUR) == Due((), None)


@pytest.mark.parametrize("missed", ["skip", "last", "all"])
def test_a_tick_on_time_fires_with_each_policy(missed: str) -> None:
    """A tick that is at most 30 seconds late is not missed, so each one of a schedule of seconds fires."""
    schedule = stored("every 10 seconds", NOON, missed=missed)
    due = due_ticks(schedule, NOON + 25 * SECOND)
    assert due == Due((NOON + 10 * SECOND, NOON + 20 * SECOND), NOON + 30 * SECOND)


@pytest.mark.parametrize(
    ("missed", "minutes"),
    [("skip", []), ("last", [60]), ("all", [15, 30, 45, 60])],
)
def test_missed_ticks_fire_by_the_policy(missed: str, minutes: list[int]) -> None:
    """After an outage, `skip` fires none of the missed ticks, `last` the latest, and `all` each."""
    due = due_ticks(stored("*/15 * * * *", NOON, missed=missed), NOON + 65 * MINUTE)
    assert due == Due(tuple(NOON + n * MINUTE for n in minutes), NOON + 75 * MINUTE)


def test_a_tick_on_time_replaces_the_missed_ones() -> None:
    """With `last`, one job follows an outage: if a tick is on time, no missed one fires."""
    due = due_ticks(stored("* * * * *", NOON), NOON + HOUR + SECOND)
    assert due.ticks == (NOON + HOUR,)


@pytest.mark.parametrize("missed", ["last", "all"])
def test_a_tick_older_than_the_window_never_fires(missed: str) -> None:
    """The window bounds how late a tick fires, and it is inclusive."""
    schedule = stored("0 3 * * *", NOON, missed=missed, window=HOUR)
    tick = NOON + 15 * HOUR
    assert due_ticks(schedule, tick + HOUR).ticks == (tick,)
    assert due_ticks(schedule, tick + HOUR + SECOND) == Due((), tick + 24 * HOUR)


def test_a_tick_fires_only_after_the_last_one() -> None:
    """No tick up to last_tick fires again, even if another clock computed an earlier next_tick."""
    schedule = stored("@hourly", NOON, missed="all")._replace(last_tick=NOON + 2 * HOUR)
    assert due_ticks(schedule, NOON + 3 * HOUR) == Due((NOON + 3 * HOUR,), NOON + 4 * HOUR)
    end_of_time = schedule._replace(last_tick=datetime.max.replace(tzinfo=UTC))
    assert due_ticks(end_of_time, NOON + 3 * HOUR) == Due((), NOON + 4 * HOUR)


def test_an_end_leaves_no_next_tick() -> None:
    """After the last tick before the end, next_tick is None."""
    schedule = stored("@hourly", NOON, end=NOON + 90 * MINUTE)
    assert due_ticks(schedule, NOON + HOUR) == Due((NOON + HOUR,), None)


@pytest.mark.parametrize("missed", ["skip", "last", "all"])
def test_years_of_missed_seconds_take_bounded_work(missed: str) -> None:
    """A schedule of every second, with a window of a year, returns at most `limit` ticks, and continues after them."""
    schedule = stored("* * * * * *", NOON - timedelta(days=3_000), missed=missed, window=timedelta(days=366))
    due = due_ticks(schedule, NOON, limit=10)
    first = {"skip": NOON - 30 * SECOND, "last": NOON - 30 * SECOND, "all": NOON - timedelta(days=366)}[missed]
    assert due == Due(tuple(first + n * SECOND for n in range(10)), first + 10 * SECOND)


@pytest.mark.parametrize("limit", [0, 1_001, True, 1.5])
def test_a_limit_outside_the_range_is_rejected(limit: int) -> None:
    """A limit is from 1 to 1,000."""
    with pytest.raises(InvalidArgument, match="limit is"):
        due_ticks(stored("@hourly", NOON), NOON, limit=limit)


@settings(max_examples=100, derandomize=True)
@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "every 50 seconds", "30 2 * * *"]),
    st.sampled_from(["skip", "last", "all"]),
    st.lists(st.integers(0, 5_000), min_size=1, max_size=15),
    st.integers(1, 20),
)
def test_repeated_decisions_fire_each_tick_at_most_once(rule: str, missed: str, pauses: list[int], limit: int) -> None:
    """However callers are delayed, ticks ascend and are real, and `all` fires each one in the window."""
    schedule = stored(rule, NOON, missed=missed, zone="UTC", window=timedelta(days=30))
    fired: list[datetime] = []
    now = NOON
    for pause in pauses:
        now += pause * SECOND
        while schedule.next_tick is not None and schedule.next_tick <= now:
            ticks, next_tick = due_ticks(schedule, now, limit=limit)
            fired.extend(ticks)
            schedule = schedule._replace(next_tick=next_tick, last_tick=fired[-1] if fired else None)
    every = list(schedule.parsed().ticks(NOON + SECOND, now + SECOND))
    assert fired == sorted(set(fired))
    assert set(fired) <= set(every)
    if missed == "all":
        assert fired == every
