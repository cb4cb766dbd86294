"""The checks of `restore`, the rounding of its times, and which records hold their keys."""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from tallystick import (
    FINAL,
    AttemptError,
    Failure,
    InvalidArgument,
    NewRecord,
    PayloadTooLarge,
    Record,
    State,
)
from tallystick.backends import restore_calls

from ..helpers import NOW, SECOND
from .small_stores import COARSE, DOWN, ODD, UP
from .small_stores import STORE as SMALLEST

STORE = replace(SMALLEST, max_batch=3)
ERROR = Failure("E", "m")


def whole(state: State = State.PENDING, **fields: Any) -> Record:
    """Return a record in a state."""
    running, final = state is State.RUNNING, state in FINAL
    record = NewRecord(kind="k").stored(NOW)
    record = record._replace(
        state=state, attempt=1, lease_until=NOW if running else None, finished_at=NOW if final else None
    )
    return record._replace(**fields)


def placed(*records: Record, stored: Container[UUID] = (), held: Container[str] = ()) -> list[Any]:
    """Return for each record None, or the key that it holds."""
    call = restore_calls.restore(records, STORE, now=NOW)
    return [one if one is None else one.held_key for one in call.placed(stored, held)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"state": "done"}, "state is 'done'; it must be one of pending, running"),
        ({"lease_until": NOW}, "lease_until is .*, but the state is pending; it must be None"),
        ({"state": State.RUNNING}, "lease_until is None, but the state is running; it must be an aware datetime"),
        ({"state": State.COMPLETED}, "finished_at is None, but the state is completed"),
        ({"attempt": 2**31}, "attempt is 2147483648; it must be a whole number from 0"),
        ({"state": State.RUNNING, "lease_until": NOW, "attempt": 0}, "attempt is 0; .* from 1"),
        ({"max_attempts": 0}, "max_attempts is 0"),
        ({"cancel_requested": 1}, "cancel_requested is 1; it must be True or False"),
        ({"result": "text"}, "result is of type str"),
        ({"last_error": "text"}, "last_error is 'text'; it must be a Failure"),
        ({"errors": [ERROR]}, "errors is .*; it must be a tuple of AttemptError"),
        ({"errors": (AttemptError(1, NOW, ERROR),) * 21}, "the number of errors is 21"),
        ({"errors": (AttemptError(-1, NOW, ERROR),)}, "the attempt of an error is -1"),
        ({"errors": (AttemptError(1, NOW, "text"),)}, "errors has .text.; each error must be a Failure"),  # type: ignore[arg-type]
        ({"errors": (AttemptError(1, NOW.replace(tzinfo=None), ERROR),)}, "the time of an error"),
        ({"created_at": None}, "created_at is None"),
        ({"worker": "a\n"}, "worker is 'a\\\\n'"),
        ({"kind": ""}, "kind is ''"),
    ],
)
def test_records_of_no_job_are_rejected(fields: dict[str, Any], message: str) -> None:
    """A record that no job can have is rejected, and the message begins with its id."""
    wrong = whole()._replace(**fields)
    with pytest.raises(InvalidArgument, match=f"record {wrong.id}: {message}"):
        restore_calls.restore([whole(), wrong], STORE, now=NOW)


def test_large_payloads_and_batches_are_rejected() -> None:
    """A payload, a result and a batch above the limits of the store are rejected."""
    for large in (whole(payload=b"12345"), whole(State.COMPLETED, result=b"12345")):
        with pytest.raises(PayloadTooLarge, match=f"record {large.id}: .* has 5 bytes"):
            restore_calls.restore([large], STORE)
    with pytest.raises(InvalidArgument, match="must be a whole number from 0 to 3"):
        restore_calls.restore([whole()] * 4, STORE)
    with pytest.raises(InvalidArgument, match="each must be a Record"):
        restore_calls.restore([NewRecord(kind="k")], STORE)  # type: ignore[list-item]  # wrong on purpose


def test_an_id_that_is_no_uuid_is_rejected() -> None:
    """The message shows a wrong id."""
    with pytest.raises(InvalidArgument, match="record 7: id is 7"):
        restore_calls.restore([whole(id=7)], STORE)


def test_times_are_rounded_to_the_precision() -> None:
    """Due times and leases are rounded up, every other time down, and all are in UTC."""
    east = ODD.astimezone(timezone(timedelta(hours=5)))
    times = dict.fromkeys(("run_at", "created_at", "updated_at", "attempted_at"), east)
    running = whole(State.RUNNING, **times, lease_until=east, errors=(AttemptError(1, east, ERROR),))
    ended = whole(State.DISCARDED, **times, finished_at=east)
    one, two = restore_calls.restore([running, ended], COARSE).records
    for record in (one, two):
        assert (record.run_at, record.created_at, record.updated_at, record.attempted_at) == (UP, DOWN, DOWN, DOWN)
    assert (one.lease_until, two.finished_at, one.errors[0].at) == (UP, DOWN, DOWN)
    assert restore_calls.restore([running], STORE).records == [running]


def test_stored_ids_are_skipped() -> None:
    """A record is skipped if its id is stored, or if an earlier record of the batch has it."""
    one, two = whole(), whole()
    call = restore_calls.restore([one, two, one], STORE, now=NOW)
    assert call.ids == (one.id, two.id)
    assert [each and each.record for each in call.placed({two.id}, set())] == [one, None, None]


def test_keys_follow_the_state() -> None:
    """A record holds its key as its state says, and a key for a time only until then."""
    key: dict[str, Any] = {"unique_key": "a"}
    assert placed(whole(**key)) == ["a"]
    assert placed(whole(State.COMPLETED, **key)) == [None]
    assert placed(whole(State.COMPLETED, **key, unique_until="purged")) == ["a"]
    assert placed(whole(State.RUNNING, **key, unique_until="started")) == [None]
    assert placed(whole(**key, unique_until=SECOND)) == ["a"]
    assert placed(whole(**key, unique_until=SECOND, created_at=NOW - SECOND)) == [None]


def test_final_records_yield_their_keys() -> None:
    """A final record is stored without a key that a stored job or an earlier record holds."""
    final = whole(State.COMPLETED, unique_key="a", unique_until="purged")
    assert placed(final, held={"a"}) == [None]
    assert placed(whole(unique_key="a"), final) == ["a", None]


def test_other_records_need_their_keys() -> None:
    """Any other record is rejected with its id and key. A record whose id is stored needs no key."""
    blocked = whole(unique_key="a")
    with pytest.raises(InvalidArgument, match=rf"another job holds the unique key of {blocked.id} \('a'\); cancel"):
        placed(blocked, held={"a"})
    with pytest.raises(InvalidArgument, match="another job holds"):
        placed(whole(unique_key="b"), whole(unique_key="b"))
    assert placed(blocked, stored={blocked.id}, held={"a"}) == [None]


def test_only_some_blocked_records_are_listed() -> None:
    """The message about many blocked records lists five, and counts the others."""
    call = restore_calls.RestoreCall([whole(id=uuid4(), unique_key="a") for _ in range(7)], NOW, NOW, SECOND)
    with pytest.raises(InvalidArgument, match="and 2 more; cancel"):
        call.placed(set(), {"a"})


def test_the_servers_clock_decides() -> None:
    """Without `now`, a store replaces the time of the call by its own clock."""
    record = whole(unique_key="a", unique_until=SECOND, created_at=NOW)
    call = restore_calls.restore([record], STORE)
    assert call.at(NOW).keys == ("a",)
    assert call.at(NOW + SECOND).keys == ()
    later: datetime = NOW + SECOND
    assert restore_calls.restore([record], STORE, now=NOW).at(later).keys == ("a",)
