"""Stored values, whole and damaged, and times."""

from datetime import UTC, datetime, timedelta

import pytest
from tallystick import InvalidArgument, State
from tallystick.backends import decoding, times

from ..helpers import NOW

MILLISECOND = timedelta(milliseconds=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def test_states() -> None:
    """Each state is found by its name."""
    assert {name: State(name) for name in State} == decoding.STATES


@pytest.mark.parametrize(
    ("stored", "tags"), [("[]", ()), ('["a", "b"]', ("a", "b")), ('["a", 7]', ("a", "7")), ("{", ("{",)), ("7", ("7",))]
)
def test_tags_from_json(stored: str, tags: tuple[str, ...]) -> None:
    """A JSON list is read as tags, and any other text as one tag."""
    assert decoding.tags_from_json(stored) == tags


def test_tags() -> None:
    """No value becomes an empty tuple, and a value that is no text becomes its text."""
    assert decoding.tags(None) == ()
    assert decoding.tags(["a", 7]) == ("a", "7")


@pytest.mark.parametrize("moment", [FIRST, NOW, LAST])
def test_micros(moment: datetime) -> None:
    """A time is converted to microseconds and back without loss."""
    assert times.moment(times.micros(moment)) == moment
    assert decoding.optional_moment(times.micros(moment)) == moment
    assert decoding.optional_moment(None) is None


@pytest.mark.parametrize(("micros", "moment"), [(10**30, LAST), (-(10**30), FIRST), (2**63, LAST)])
def test_micros_outside_the_calendar(micros: int, moment: datetime) -> None:
    """A number outside the years 1 to 9999 is clamped."""
    assert times.moment(micros) == moment


@pytest.mark.parametrize("moment", [NOW, datetime(1969, 1, 1, tzinfo=UTC), FIRST])
def test_rounding(moment: datetime) -> None:
    """A time between two steps is rounded down or up, and a time at a step stays, also before 1970."""
    between = moment + timedelta(microseconds=1)
    assert times.rounded_down(between, MILLISECOND) == times.rounded_up(moment, MILLISECOND) == moment
    assert times.rounded_up(between, MILLISECOND) == moment + MILLISECOND
    assert times.rounded_down(between, times.MICROSECOND) == times.rounded_up(between, times.MICROSECOND) == between


def test_rounding_up_after_all_time() -> None:
    """A time that is rounded up beyond the year 9999 is rejected, and the error states the latest time."""
    with pytest.raises(InvalidArgument, match=r"lease is .*9999-12-31 23:59:59\.999000"):
        times.rounded_up(LAST, MILLISECOND, "lease")
