from datetime import UTC, datetime, timedelta

import pytest
import typer
from tallystick.cli.times import length, parse_due, parse_past, parse_span, relative, span

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(milliseconds=59_999), "59 s"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(minutes=119), "1 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_a_span_has_one_unit(length: timedelta, text: str) -> None:
    """A span is shown in its largest unit, rounded down, and a negative span as zero."""
    assert span(length) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(hours=-2), "2 h ago"),
        (timedelta(milliseconds=-300), "now"),
        (timedelta(milliseconds=999), "now"),
    ],
)
def test_a_relative_time(away: timedelta, text: str) -> None:
    """A relative time is "in ..." for the future, "... ago" for the past, and "now" within a second."""
    assert relative(NOW + away, NOW) == text


@pytest.mark.parametrize(
    ("mean", "text"),
    [
        (timedelta(microseconds=1_600), "2 ms"),
        (timedelta(seconds=1.25), "1.2 s"),
        (timedelta(seconds=59.94), "59.9 s"),
        (timedelta(minutes=3), "3 min"),
    ],
)
def test_a_length_is_exact_if_it_is_short(mean: timedelta, text: str) -> None:
    """A mean time is shown in milliseconds, in seconds with one digit, or as a span."""
    assert length(mean) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-11-28T09:30", datetime(2026, 11, 28, 9, 30, tzinfo=UTC)),
        ("2026-11-28T09:30:00+02:00", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        ("2026-11-28 09:30Z", datetime(2026, 11, 28, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc_unless_it_has_an_offset(text: str, moment: datetime) -> None:
    """ISO 8601 is read as UTC, or with its offset."""
    assert parse_past(text) == parse_due(text) == moment


def test_a_span_is_an_age_or_a_delay() -> None:
    """A span is before now for a filter, and after now for a due time."""
    before = datetime.now(UTC)
    assert parse_past("2h") <= datetime.now(UTC) - timedelta(hours=2)
    assert parse_past("2h") >= before - timedelta(hours=2)
    assert parse_due("90s") >= before + timedelta(seconds=90)
    assert before <= parse_due("now") <= datetime.now(UTC)


@pytest.mark.parametrize(
    "text", ["", "h", "1.5h", "-2h", "2 h", "1234567d", "999999d", "yesterday", "9999-12-31T23:59-09:00"]
)
def test_another_text_is_no_time(text: str) -> None:
    """Any other text, and a time outside the calendar, is a usage error that shows what to write."""
    with pytest.raises(typer.BadParameter, match=r"is no time; write .*ISO 8601"):
        parse_past(text)
    assert parse_span("x") is None
