from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick import AttemptError, Failure

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)

any_text = st.text(st.characters(), max_size=20)
times = st.datetimes(timezones=st.just(UTC))


@given(st.integers(1, 2**63 - 1), times, any_text, any_text, any_text)
def test_an_error_is_kept_as_json(attempt: int, at: datetime, type: str, message: str, traceback: str) -> None:
    """Any text survives JSON in ASCII, with NUL and lone surrogates, and times survive to the microsecond."""
    kept = AttemptError.of(attempt, at, Failure(type, message, traceback))
    assert kept.to_json().isascii()
    assert "\n" not in kept.to_json()
    assert AttemptError.from_json(kept.to_json()) == kept


def test_a_kept_error_is_cut() -> None:
    """A kept error has the start of a long type and message, and the end of a long traceback."""
    long = Failure("T" * 300, "a" + "m" * 2_000, "t" * 9_000 + "z")
    kept = AttemptError.of(1, NOON, long).error
    assert (len(kept.type), len(kept.message), len(kept.traceback)) == (255, 1_000, 8_000)
    assert kept.message[0] == "a"
    assert kept.traceback[-1] == "z"


def test_a_record_keeps_the_last_twenty_errors() -> None:
    """The twenty-first error replaces the first one."""
    errors: tuple[AttemptError, ...] = ()
    for attempt in range(1, 23):
        at = NOON + timedelta(seconds=attempt)
        errors = AttemptError.of(attempt, at, Failure("E", "m")).appended_to(errors)
    assert [error.attempt for error in errors] == list(range(3, 23))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '{"attempt": 1}',
        '{"attempt": true, "at": 0, "type": "", "message": "", "traceback": ""}',
        '{"attempt": 1, "at": 1e999, "type": "", "message": "", "traceback": ""}',
        '{"attempt": 1, "at": 9999999999999999999999, "type": "", "message": "", "traceback": ""}',
        '{"attempt": 1, "at": 0, "type": 1, "message": "", "traceback": ""}',
        b"\xff",
        "{" * 100_000,
    ],
)
def test_an_unreadable_error_is_shown(text: str | bytes) -> None:
    """A damaged value never raises; it becomes an error of its own type."""
    assert AttemptError.from_json(text).error.type == "Unreadable"
