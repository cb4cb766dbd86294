"""The values of a progress, and their stored form."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tallystick import PROGRESS_LENGTH, Claim, InvalidArgument, Progress, ProgressReport

from ..helpers import NOW

CLAIM = Claim(UUID(int=1), 1)


@pytest.mark.parametrize("fraction", [float("nan"), float("inf"), -0.001, 1.001, 2, True, "0.5", b"1", [0.5]])
def test_a_fraction_is_a_number_from_0_to_1(fraction: Any) -> None:
    """Any other value is rejected, and the message shows it."""
    with pytest.raises(InvalidArgument, match="must be a number from 0 to 1, or None"):
        ProgressReport(CLAIM, fraction)


@pytest.mark.parametrize("message", [None, b"page", 7, "x" * (PROGRESS_LENGTH + 1)])
def test_a_message_is_a_short_text(message: Any) -> None:
    """Any other value is rejected, and so is a text of more than 500 characters."""
    with pytest.raises(InvalidArgument, match=r"^message "):
        ProgressReport(CLAIM, 0.5, message)


def test_a_report_has_plain_values() -> None:
    """A whole number becomes a float, and a subclass of str becomes a str."""

    class Text(str):
        __slots__ = ()

    report = ProgressReport(CLAIM, 1, Text("done"))
    assert (type(report.fraction), type(report.message)) == (float, str)
    assert report == ProgressReport(CLAIM, 1.0, "done")


@pytest.mark.parametrize("progress", [Progress(None, "", NOW), Progress(0.1 + 0.2, "\x00\ud800é", NOW)])
def test_the_stored_form_keeps_all(progress: Progress) -> None:
    """`from_json` reads what `to_json` writes, which is ASCII."""
    assert progress.to_json().isascii()
    assert Progress.from_json(progress.to_json()) == progress


@pytest.mark.parametrize("text", ["", "[]", "{}", "x" * 5_000, '{"at": 1, "fraction": 7, "message": ""}'])
def test_any_text_becomes_a_progress(text: str) -> None:
    """A damaged value becomes the message of a progress in 1970, cut to the maximum."""
    progress = Progress.from_json(text)
    assert (progress.fraction, progress.at) == (None, datetime(1970, 1, 1, tzinfo=UTC))
    assert 0 < len(progress.message) <= PROGRESS_LENGTH


def test_percent_is_100_only_at_the_end() -> None:
    """A fraction below 1 is at most 99 percent, and an unknown one has no percentage."""
    fractions = (None, 0.0, 0.004, 0.29, 0.999, 1.0)
    assert [Progress(fraction, "", NOW).percent for fraction in fractions] == [None, 0, 0, 29, 99, 100]
