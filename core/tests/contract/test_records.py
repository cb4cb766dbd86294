from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick import Claim, Failure, Filter, InvalidArgument, NewRecord, State

from ..helpers import SECOND, stored


class BrokenText(Exception):
    """An exception whose `__str__` raises."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_ids_are_ordered() -> None:
    """New ids are UUIDv7: distinct, and ordered by time."""
    ids = [NewRecord(kind="echo").id for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert {id.version for id in ids} == {7}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", ""),
        ("queue", "a\nb"),
        ("payload", "text"),
        ("id", "1"),
        ("priority", 2**15),
        ("max_attempts", 0),
        ("max_attempts", 1_000_001),
        ("run_at", datetime(2025, 6, 1)),  # noqa: DTZ001  # naive on purpose
        ("run_at", -SECOND),
        ("unique_key", ""),
        ("unique_until", "ended"),
        ("unique_until", timedelta()),
        ("unique_until", timedelta(seconds=1.5)),
        ("unique_until", timedelta(days=3_651)),
        ("unique_until", 60),
        ("on_conflict", "replace"),
        ("on_conflict", "update"),
        ("on_conflict", None),
        ("debounce_max", SECOND),
        ("debounce_max", -SECOND),
        ("debounce_max", 60),
        ("tags", "urgent"),
        ("tags", ("ok", "")),
    ],
)
def test_rejected(field: str, value: object) -> None:
    """A new record rejects a field that no store would accept, and the error names it."""
    with pytest.raises(InvalidArgument, match=field):
        NewRecord(**{"kind": "echo", field: value})  # type: ignore[arg-type]  # wrong on purpose


def test_claim() -> None:
    """A record's claim consists of its id and its attempt."""
    record = stored()
    assert record.claim == Claim(record.id, 0)


@given(st.text(), st.text(), st.text())
def test_failure_json(type: str, message: str, traceback: str) -> None:
    """A failure as JSON is ASCII and round-trips, whatever its text."""
    failure = Failure(type, message, traceback)
    assert failure.to_json().isascii()
    assert Failure.from_json(failure.to_json()) == failure


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oops",
        "null",
        "5",
        "[1]",
        "{}",
        '{"type": "E"}',
        '{"type": 1, "message": 2, "traceback": 3}',
        '{"type": null, "message": null, "traceback": null}',
        '{"type": {}, "message": [], "traceback": {}}',
        '{"type": "E", "message": "m", "traceback": "", "more": 1}',
        "[" * 100_000,
        "9" * 10_000,
    ],
    ids=range(13),
)
def test_other_text_is_an_unreadable_failure(text: str) -> None:
    """Text that `to_json` did not write becomes the message of an `Unreadable` failure."""
    assert Failure.from_json(text) == Failure("Unreadable", text)


def test_bytes_that_are_no_text_are_an_unreadable_failure() -> None:
    """Bytes that are not UTF-8 become an escaped message."""
    assert Failure.from_json(b"\xff{") == Failure("Unreadable", "\\xff{")


def test_failure_of() -> None:
    """A failure has the exception's type (without `builtins`), its message and its traceback."""
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("seven")
    failure = Failure.of(caught.value)
    assert (failure.type, failure.message) == ("ValueError", "invalid literal for int() with base 10: 'seven'")
    assert "test_failure_of" in failure.traceback


def test_failure_is_capped() -> None:
    """A failure keeps the start of a long message and the end of a long traceback."""
    failure = Failure.of(ValueError("<" + "x" * 100_000 + ">"))
    assert failure.message.startswith("<x")
    assert len(failure.message) == Failure.MESSAGE_LENGTH
    assert failure.traceback.endswith(">\n")
    assert len(failure.traceback) == Failure.TRACEBACK_LENGTH


def test_failure_of_broken_exception() -> None:
    """A failure describes an exception even if its `__str__` raises."""
    failure = Failure.of(BrokenText())
    assert failure.type.endswith("BrokenText")
    assert "no words" in failure.message


@pytest.mark.parametrize(
    "fitting",
    [
        {},
        {"kinds": ["other", "echo"]},
        {"queues": ["default"]},
        {"states": [State.PENDING]},
        {"tags": ["a", "z"]},
        {"kinds": ["echo"], "tags": ["b"]},
    ],
)
def test_filter_fits(fitting: dict[str, Any]) -> None:
    """A record matches a filter if it matches every given field and has any of the tags."""
    assert Filter(**fitting).fits(stored(tags=("a", "b")))


@pytest.mark.parametrize(
    "unfitting",
    [
        {"ids": []},
        {"states": []},
        {"kinds": ["other"]},
        {"queues": []},
        {"tags": []},
        {"tags": ["z"]},
        {"kinds": ["echo"], "queues": ["other"]},
    ],
)
def test_filter_does_not_fit(unfitting: dict[str, Any]) -> None:
    """One field that does not match excludes the record, and an empty collection matches nothing."""
    assert not Filter(**unfitting).fits(stored(tags=("a", "b")))


def test_failure_of_many_causes() -> None:
    """For an exception with very many causes, the traceback leaves out the causes, so that formatting stays fast."""
    error: BaseException | None = None
    for number in range(10_000):
        cause, error = error, ValueError(number)
        error.__cause__ = cause
    assert error is not None
    failure = Failure.of(error)
    assert (failure.type, failure.message, failure.traceback) == ("ValueError", "9999", "")


def test_debounce_max_needs_debounce() -> None:
    """A maximum without the policy that reads it is rejected."""
    NewRecord(kind="echo", unique_key="k", on_conflict="debounce", debounce_max=SECOND)
    with pytest.raises(InvalidArgument, match="set on_conflict='debounce'"):
        NewRecord(kind="echo", unique_key="k", on_conflict="replace", debounce_max=SECOND)
