from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tallystick import InvalidArgument, Rule, UnknownZone, parse_rule

NOW = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("every second", timedelta(seconds=1)),
        ("every 5 minutes", timedelta(minutes=5)),
        ("Every 1 Hour", timedelta(hours=1)),
        ("every  2 days", timedelta(days=2)),
        ("every week", timedelta(weeks=1)),
        (timedelta(seconds=90), timedelta(seconds=90)),
    ],
)
def test_an_interval_is_elapsed_time_since_1970(text: str | timedelta, interval: timedelta) -> None:
    """`every` fires at the multiples of its interval, counted from 1970."""
    rule = parse_rule(text)
    ticks = list(islice(rule.ticks(NOW, datetime.max.replace(tzinfo=UTC)), 10))
    assert all(later - earlier == interval for earlier, later in pairwise(ticks))
    assert (ticks[0] - datetime(1970, 1, 1, tzinfo=UTC)) % interval == timedelta(0)
    assert NOW <= ticks[0] < NOW + interval


@pytest.mark.parametrize("text", ["every 5 minutes", "every second", "every 90 seconds", "every day", "*/5 * * * *"])
def test_the_text_of_a_rule_reads_as_the_same_rule(text: str) -> None:
    """`str` of a rule is a text that stands for this rule."""
    assert str(parse_rule(text)) == text
    assert parse_rule(str(parse_rule(text))) == parse_rule(text)


def test_start_and_end_bound_the_ticks() -> None:
    """A tick is not earlier than start, and earlier than end; an interval counts from start."""
    start, end = NOW + timedelta(microseconds=1), NOW + timedelta(minutes=10)
    rule = parse_rule("every 4 minutes", start=start, end=end)
    second = timedelta(seconds=1)
    assert list(rule.ticks(NOW, NOW + timedelta(days=1))) == [
        NOW + second + timedelta(minutes=minutes) for minutes in (0, 4, 8)
    ]
    assert rule.next_tick(end) is None
    assert rule.last_tick(NOW) is None
    cron = parse_rule("* * * * *", start=start, end=end)
    assert len(list(cron.ticks(NOW - timedelta(days=1), NOW + timedelta(days=1)))) == 10


def test_seconds_are_the_first_of_six_fields() -> None:
    """Six fields begin with the seconds."""
    rule = parse_rule("*/20 * * * * *")
    assert rule.next_tick(NOW) == NOW + timedelta(seconds=10)
    assert rule.next_tick(NOW + timedelta(seconds=9.5)) == NOW + timedelta(seconds=10)


@pytest.mark.parametrize(("text", "tick"), [("@daily", (11, 29)), ("@monthly", (12, 1)), ("@WEEKLY", (11, 29))])
def test_nicknames_are_those_of_crontab(text: str, tick: tuple[int, int]) -> None:
    """A nickname stands for the text of crontab(5)."""
    assert parse_rule(text).next_tick(NOW) == datetime(2026, *tick, tzinfo=UTC)


def test_the_last_tick_is_found_without_a_walk_through_all() -> None:
    """A rule of every second finds its last tick before a gap of years at once."""
    rule = parse_rule("* * * * 1 *", zone="Europe/Berlin")  # every second of January
    assert rule.last_tick(NOW) == datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC)
    assert rule.last_tick(NOW, since=datetime(2026, 2, 1, tzinfo=UTC)) is None


def test_a_rule_ends_with_the_calendar() -> None:
    """Near the end of the year 9999 there is no next tick, and no error."""
    late = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for text in ("@daily", "every day", "* * * * * *", "0 0 1 1 *"):
        assert parse_rule(text).next_tick(late) is None
        assert parse_rule(text, zone="UTC").last_tick(late) is not None
    assert parse_rule("@daily", zone="America/New_York").next_tick(late) is None


def test_the_caller_s_zone_does_not_matter() -> None:
    """Times are aware datetimes of any zone; ticks are in UTC."""
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    tick = parse_rule("@hourly").next_tick(local)
    assert tick == datetime(2026, 11, 28, 13, tzinfo=UTC)
    assert tick.tzinfo is UTC
    with pytest.raises(InvalidArgument, match="time zone"):
        parse_rule("@hourly").next_tick(NOW.replace(tzinfo=None))
    with pytest.raises(InvalidArgument, match="later than until"):
        parse_rule("@hourly").ticks(NOW, NOW - timedelta(days=1))


@pytest.mark.parametrize(
    "text",
    [
        "0 0 30 2 *",
        "* * */20 * 1L",
        "0 0 31 2,4,6,9,11 *",
    ],
)
def test_a_rule_that_never_fires_is_rejected(text: str) -> None:
    """A text without any tick raises an error at the call."""
    with pytest.raises(InvalidArgument, match=r"the rule is|never fires"):
        parse_rule(text)


def test_a_rule_that_ends_before_its_first_tick_is_rejected() -> None:
    """A rule without a tick between its start and its end raises an error that names both."""
    with pytest.raises(InvalidArgument, match=r"@daily never fires from 2026-11-28 12:00:30.* before 2026"):
        parse_rule("@daily", start=NOW, end=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "* * * *",
        "* * * * * * *",
        "61 * * * *",
        "1--100000000 * * * *",
        "1-100000000 * * * *",
        "*/0 * * * *",
        "*/99999999999999999999 * * * *,",
        "٣ * * * *",
        "0 0 * * ²L",
        "every",
        "every 0 minutes",
        "every -5 minutes",
        "every 1.5 minutes",
        "every 999999999 weeks",
        "every 5 fortnights",
        "@reboot",
        "* * * * *\0",
        timedelta(0),
        timedelta(seconds=1.5),
        timedelta.max,
        5,
        None,
        b"* * * * *",
    ],
)
def test_any_other_text_is_rejected(text: str) -> None:
    """A text that is not a rule raises `InvalidArgument`."""
    with pytest.raises(InvalidArgument):
        parse_rule(text)


@pytest.mark.parametrize("text", ["*" * 1_000_000, "0," * 500_000 + "0 * * * *", "every " + "9" * 1_000_000])
def test_a_huge_text_is_rejected_with_a_short_message(text: str) -> None:
    """A text of a megabyte is rejected by its length, and the message does not repeat it."""
    with pytest.raises(InvalidArgument, match="1 to 255 ASCII characters") as caught:
        parse_rule(text)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    "zone", ["Europe/Berln", "", "localtime", "../etc/passwd", "America", "x" * 1_000_000, 3, None]
)
def test_an_unknown_zone_is_rejected(zone: str) -> None:
    """A zone that does not exist raises `UnknownZone`, with a suggestion."""
    with pytest.raises(UnknownZone, match=r"Europe/Berlin|must be an IANA name|did you mean"):
        parse_rule("@daily", zone=zone)


def test_an_interval_has_no_zone() -> None:
    """`every` counts elapsed time, so a zone is a mistake."""
    with pytest.raises(InvalidArgument, match="elapsed time"):
        parse_rule("every day", zone="Europe/Berlin")


def test_a_rule_in_words() -> None:
    """`explain` returns a cron text in words."""
    assert parse_rule("0 9 * * 1").explain() == "At 09:00 on Monday"
    assert parse_rule("every 5 minutes").explain() == "every 5 minutes"


fields = st.text("0123456789*,-/#LW ", max_size=12) | st.sampled_from(
    ["*", "*/7", "1-5", "MON#2", "5L", "LW", "L", "JAN"]
)


@settings(max_examples=300, derandomize=True)
@given(st.lists(fields, min_size=5, max_size=6).map(" ".join))
def test_any_text_is_a_rule_or_is_rejected(text: str) -> None:
    """No text raises another error than `InvalidArgument`, and the ticks of a rule ascend."""
    try:
        rule = parse_rule(text, zone="Australia/Lord_Howe")
    except InvalidArgument:
        return
    ticks = list(islice(_all_ticks(rule), 3))
    assert ticks == sorted(set(ticks))
    assert ticks


def _all_ticks(rule: Rule) -> Iterator[datetime]:
    return rule.ticks(datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
