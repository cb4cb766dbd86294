from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tallystick import FINAL, InvalidArgument, PayloadTooLarge, State, validation

from ..helpers import NOW, SECOND

EAST = timezone(timedelta(hours=5))


def test_utc_converts() -> None:
    """An aware datetime of any zone is converted to UTC."""
    converted = validation.utc(datetime(2025, 6, 1, 17, tzinfo=EAST))
    assert converted == NOW
    assert converted.tzinfo is UTC


def test_naive_datetime() -> None:
    """A naive datetime is rejected; the message names the argument and asks for an aware one."""
    with pytest.raises(InvalidArgument, match=r"run_at is .*2025.*no time zone.*aware"):
        validation.utc(datetime(2025, 6, 1), "run_at")  # noqa: DTZ001  # naive on purpose


def test_outside_utc() -> None:
    """An aware datetime that UTC cannot express is rejected."""
    with pytest.raises(InvalidArgument, match="years 1 to 9999"):
        validation.utc(datetime.min.replace(tzinfo=EAST))


def test_moment() -> None:
    """A moment is a datetime, a delay from now, or None for now."""
    assert validation.moment(None, NOW) == NOW
    assert validation.moment(SECOND, NOW) == NOW + SECOND
    assert validation.moment(NOW - SECOND, NOW) == NOW - SECOND


def test_moment_after_all_time() -> None:
    """A delay that ends after the year 9999 is rejected."""
    with pytest.raises(InvalidArgument, match="end in the year 9999"):
        validation.moment(timedelta.max, NOW)


@pytest.mark.parametrize("value", [-SECOND, 5, "soon"])
def test_bad_delay(value: Any) -> None:
    """A delay must be a timedelta of zero or more; a number of seconds is rejected."""
    with pytest.raises(InvalidArgument, match="run_at is"):
        validation.due(value)


@pytest.mark.parametrize("value", ["", "x" * 256, "a\nb", "\0", "\ud800", None, 7, b"bytes"])
def test_bad_name(value: Any) -> None:
    """A name has 1 to 255 printable characters."""
    with pytest.raises(InvalidArgument, match="queue is"):
        validation.name(value, "queue")


@pytest.mark.parametrize("value", ["a", "x" * 255, "emails:welcome", "ünïcode", "with space"])
def test_good_name(value: str) -> None:
    """A printable name is returned unchanged."""
    assert validation.name(value, "queue") == value


def test_names_are_distinct() -> None:
    """Repeated names are dropped, and the order is kept."""
    assert validation.names(["b", "a", "b"], "tags") == ("b", "a")


def test_names_are_not_a_string() -> None:
    """A bare string is rejected where a list of names is expected."""
    with pytest.raises(InvalidArgument, match=r"\['emails'\]"):
        validation.names("emails", "queues")


@pytest.mark.parametrize("value", [0, 11, True, 1.0, "1", None])
def test_within(value: Any) -> None:
    """A value that is not an integer, or is outside the range, is rejected."""
    with pytest.raises(InvalidArgument, match="from 1 to 10"):
        validation.within(value, 1, 10, "priority")


@pytest.mark.parametrize("value", [0, -1, 2**31])
def test_limit(value: int) -> None:
    """A limit is from 1 to 2**31 - 1."""
    with pytest.raises(InvalidArgument, match="limit"):
        validation.limit(value)


@pytest.mark.parametrize("value", [timedelta(0), -SECOND, 30])
def test_positive(value: Any) -> None:
    """A duration must be a timedelta longer than zero."""
    with pytest.raises(InvalidArgument, match="lease"):
        validation.positive(value, "lease")


def test_size() -> None:
    """Bytes up to the maximum size are accepted, one more is rejected, and None is accepted."""
    validation.size(b"1234", 4, "payload")
    validation.size(None, 0, "result")
    with pytest.raises(PayloadTooLarge, match=r"5 bytes.*at most 4"):
        validation.size(b"12345", 4, "payload")


def test_final() -> None:
    """Only final states are accepted, and the error lists them."""
    validation.final(FINAL)
    with pytest.raises(InvalidArgument, match="cancelled, completed, discarded"):
        validation.final([State.COMPLETED, State.RUNNING])
