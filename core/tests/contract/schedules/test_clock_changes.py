from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from tallystick import parse_rule

from .walls import DAY, MINUTE, ZONES, Text, changes, expected

START, END = datetime(2006, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

texts = st.builds(
    Text,
    st.none() | st.frozensets(st.sampled_from([0, 1, 15, 30, 44, 45, 59]), min_size=1, max_size=3),
    st.none() | st.frozensets(st.sampled_from([0, 1, 2, 3, 4, 12, 23]), min_size=1, max_size=3),
)


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Draw a whole minute, mostly close to a change of the zone's clocks."""
    days = changes(zone)
    if len(days) > 0 and draw(st.booleans()):
        return draw(st.sampled_from(days)) + draw(st.integers(-1440, 1440)) * MINUTE
    return START + draw(st.integers(0, (END - START) // MINUTE)) * MINUTE


@settings(max_examples=100, derandomize=True)
@given(st.data())
def test_ticks_around_a_change_are_those_of_the_documented_rules(data: st.DataObject) -> None:
    """For any zone, text and time in twenty years, the ticks are those that a search of each minute finds."""
    zone, text = data.draw(st.sampled_from(ZONES)), data.draw(texts)
    since = data.draw(moments(zone))
    until = since + 2 * DAY
    rule = parse_rule(str(text), zone=zone)
    assert list(rule.ticks(since, until)) == expected(text, ZoneInfo(zone), since, until)


@settings(max_examples=100, derandomize=True)
@given(st.data())
def test_ticks_do_not_depend_on_where_a_caller_begins(data: st.DataObject) -> None:
    """`next_tick` of any time is the first later tick of a range that began days before; so is `last_tick`."""
    zone, text = data.draw(st.sampled_from(ZONES)), data.draw(texts)
    at = data.draw(moments(zone)) + data.draw(st.sampled_from([0, 1, 59])) * timedelta(seconds=1)
    rule = parse_rule(str(text), zone=zone)
    ticks = list(rule.ticks(at - 2 * DAY, at + 2 * DAY))
    assert rule.next_tick(at) == min(tick for tick in ticks if tick > at)
    assert rule.last_tick(at) == max(tick for tick in ticks if tick <= at)


@pytest.mark.parametrize("zone", ZONES)
def test_a_fixed_time_fires_once_on_each_day_of_twenty_years(zone: str) -> None:
    """A tick at half past two fires once a day, in each zone, also on days with a change of the clocks."""
    days = [tick.astimezone(ZoneInfo(zone)).date() for tick in parse_rule("30 2 * * *", zone=zone).ticks(START, END)]
    skipped = 1 if zone == "Pacific/Apia" else 0  # its tick fires when the next day begins
    assert len(days) == pytest.approx((END - START).days, abs=1)
    assert len(days) - len(set(days)) == skipped


@pytest.mark.parametrize("zone", ZONES)
def test_every_hour_fires_at_each_full_hour_of_the_wall(zone: str) -> None:
    """At each change in twenty years, a text with a star fires whenever the clock shows a full hour."""
    rule = parse_rule("0 * * * *", zone=zone)
    for day in changes(zone) or (START,):
        ticks = list(rule.ticks(day - DAY, day + 2 * DAY))
        assert all(tick.astimezone(ZoneInfo(zone)).minute == 0 for tick in ticks)
        assert all(timedelta(minutes=30) <= later - earlier < timedelta(hours=2) for earlier, later in pairwise(ticks))


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Dublin", "Africa/Casablanca", "Asia/Kolkata"])
@pytest.mark.parametrize("text", ["0 2,3 1-15 3,11 *", "30 2 1-15 3,10 *", "0 3 * * 0", "15 1 29 2 *", "0 0 LW * *"])
def test_fixed_times_are_those_of_cronsim(zone: str, text: str) -> None:
    """Where the clocks change by a whole hour, a text with a fixed time fires as in cronsim."""
    start = START.astimezone(ZoneInfo(zone))
    theirs = CronSim(text, start)
    ours = list(parse_rule(text, zone=zone).ticks(START + timedelta(seconds=1), END))
    assert ours == [next(theirs).astimezone(UTC) for _ in ours]


def test_a_skipped_time_fires_when_the_period_ends() -> None:
    """In New York on 9 March 2025, the clocks go from 2:00 to 3:00; ticks between fire once, at 3:00."""
    ticks = list(parse_rule("0,30 2 * * *", zone="America/New_York").ticks(_utc(2025, 3, 9), _utc(2025, 3, 10)))
    assert ticks == [_utc(2025, 3, 9, 7)]


def test_a_repeated_time_fires_the_first_time_only() -> None:
    """In New York on 2 November 2025, the clock shows 1:30 twice; a fixed time fires at the first one."""
    rule = parse_rule("30 1 * * *", zone="America/New_York")
    assert list(rule.ticks(_utc(2025, 11, 2), _utc(2025, 11, 3))) == [_utc(2025, 11, 2, 5, 30)]
    assert rule.next_tick(_utc(2025, 11, 2, 6)) == _utc(2025, 11, 3, 6, 30)


def test_six_fields_with_a_fixed_time_fire_like_five() -> None:
    """A text with seconds and a fixed time also fires at the end of a skipped period, and once in a repeated one."""
    rule = parse_rule("10 30 2 * * *", zone="America/New_York")
    assert list(rule.ticks(_utc(2025, 3, 9), _utc(2025, 3, 10))) == [_utc(2025, 3, 9, 7)]
    once = parse_rule("10 30 1 * * *", zone="America/New_York").ticks(_utc(2025, 11, 2), _utc(2025, 11, 3))
    assert list(once) == [_utc(2025, 11, 2, 5, 30) + timedelta(seconds=10)]


def test_the_day_that_apia_skipped() -> None:
    """Apia skipped 30 December 2011; its tick at noon fired when the 31st began."""
    ticks = parse_rule("0 12 * * *", zone="Pacific/Apia").ticks(_utc(2011, 12, 29), _utc(2011, 12, 31, 12))
    walls = [f"{tick.astimezone(ZoneInfo('Pacific/Apia')):%d %H:%M}" for tick in ticks]
    assert walls == ["29 12:00", "31 00:00", "31 12:00"]


def _utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
