from datetime import UTC, datetime, timedelta

import pytest
from tallystick.cli.times import length, relative, span

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
