from datetime import UTC, datetime, timedelta

import pytest
from tallystick.cli.times import relative, span

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(milliseconds=59_999), "59 s"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(minutes=119), "1 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_a_span_is_said_in_its_largest_whole_unit(length: timedelta, said: str) -> None:
    """Smaller units are dropped, and nothing is shorter than no time."""
    assert span(length) == said


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(hours=-2), "2 h ago"),
        (timedelta(milliseconds=-300), "now"),
        (timedelta(milliseconds=999), "now"),
    ],
)
def test_a_moment_is_said_from_where_we_stand(away: timedelta, said: str) -> None:
    """The future is in some time, the past some time ago, and less than a second is now."""
    assert relative(NOW + away, NOW) == said
