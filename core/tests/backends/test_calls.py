"""The checks of each call, and the normalised arguments that they return."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import uuid4

import pytest
from tallystick import (
    Cancel,
    Claim,
    Complete,
    Failure,
    Filter,
    InvalidArgument,
    NewRecord,
    PayloadTooLarge,
    Release,
    Retry,
    State,
    Unsupported,
)
from tallystick.backends import calls

from ..helpers import NOW, SECOND
from .small_stores import COARSE, DOWN, ODD, STORE, UP

EAST = timezone(timedelta(hours=5))
LAST = datetime.max.replace(tzinfo=UTC)
CLAIM = Claim(uuid4(), 1)
ERROR = Failure("E", "m")


class Names(StrEnum):
    """Names that an application keeps in an enum."""

    MAIN = "main"


def test_now_is_given() -> None:
    """A given `now` becomes UTC, in both forms."""
    call = calls.stats(STORE, now=NOW.astimezone(EAST))
    assert (call.now, call.given) == (NOW, NOW)
    assert call.now.tzinfo is UTC


def test_now_is_not_given() -> None:
    """Without `now`, the time is this machine's, and `given` is None."""
    before = datetime.now(UTC)
    call = calls.stats(STORE)
    assert before <= call.now <= datetime.now(UTC)
    assert call.given is None


def test_naive_now() -> None:
    """Every call with a time rejects a naive `now`."""
    naive: Any = {"now": datetime(2025, 6, 1)}  # noqa: DTZ001  # naive on purpose
    for check in (
        lambda: calls.insert([], STORE, **naive),
        lambda: calls.claim([], STORE, limit=1, worker="w", lease=SECOND, **naive),
        lambda: calls.extend([], STORE, lease=SECOND, **naive),
        lambda: calls.settle([], STORE, **naive),
        lambda: calls.rescue(STORE, limit=1, **naive),
        lambda: calls.stats(STORE, **naive),
        lambda: calls.change(Filter(), STORE, limit=1, **naive),
        lambda: calls.purge([], STORE, before=naive["now"], limit=1),
    ):
        with pytest.raises(InvalidArgument, match="no time zone"):
            check()


def test_insert() -> None:
    """An insert has the due time of each record, and the records to store."""
    new = [NewRecord(kind="a", run_at=SECOND), NewRecord(kind="b")]
    call = calls.insert(new, STORE, now=NOW)
    assert call.due == [NOW + SECOND, NOW]
    assert call.stored() == [record.stored(NOW) for record in new]


def test_insert_rounds_up() -> None:
    """A due time is rounded up to the precision, and `now` down."""
    call = calls.insert([NewRecord(kind="a", run_at=ODD), NewRecord(kind="b")], COARSE, now=ODD)
    assert (call.due, call.now) == ([UP, DOWN], DOWN)


@pytest.mark.parametrize("wrong", [NewRecord(kind="a", run_at=LAST), NewRecord(kind="a", run_at=timedelta.max)])
def test_insert_after_all_time(wrong: NewRecord) -> None:
    """A due time is rejected if its precise or its rounded value is after the year 9999."""
    with pytest.raises(InvalidArgument, match="run_at"):
        calls.insert([wrong], COARSE, now=NOW)


def test_insert_of_a_large_payload() -> None:
    """A payload of the largest size is accepted, and a larger one is rejected."""
    calls.insert([NewRecord(kind="a", payload=b"1234")], STORE)
    with pytest.raises(PayloadTooLarge, match="payload has 5 bytes"):
        calls.insert([NewRecord(kind="a", payload=b"12345")], STORE)


def test_transaction_is_unsupported() -> None:
    """A transaction is rejected before anything else, unless the backend declares transactions."""
    wrong: Any = 7
    with pytest.raises(Unsupported, match="omit transaction="):
        calls.insert(wrong, STORE, transaction=object())
    with pytest.raises(Unsupported, match="omit transaction="):
        calls.settle(wrong, STORE, transaction=object())
    able = replace(STORE, transactions=True)
    calls.insert([], able, transaction=object())
    calls.settle([], able, transaction=object())


def test_claim() -> None:
    """A claim has distinct plain names and the end of its lease, rounded up."""
    call = calls.claim([Names.MAIN, "b", "main"], COARSE, limit=3, worker=Names.MAIN, lease=SECOND, now=ODD)
    assert call.queues == ("main", "b")
    assert type(call.worker) is str
    assert (call.limit, call.lease, call.now, call.until) == (3, SECOND, DOWN, DOWN + SECOND)


@pytest.mark.parametrize(
    "wrong", [{"queues": "a"}, {"limit": 0}, {"worker": ""}, {"lease": timedelta(0)}, {"lease": timedelta.max}]
)
def test_wrong_claim(wrong: dict[str, Any]) -> None:
    """A claim rejects a bare string, a limit below 1, an empty worker, and a lease that does not end."""
    arguments: dict[str, Any] = {"queues": ["a"], "limit": 1, "worker": "w", "lease": SECOND} | wrong
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        calls.claim(arguments.pop("queues"), STORE, **arguments)


def test_extend() -> None:
    """An extension has the end of the leases; it rejects a lease of zero and a batch that is too large."""
    assert calls.extend([CLAIM], STORE, lease=SECOND, now=NOW).until == NOW + SECOND
    with pytest.raises(InvalidArgument, match="lease"):
        calls.extend([CLAIM], STORE, lease=timedelta(0))
    with pytest.raises(InvalidArgument, match="from 0 to 2"):
        calls.extend([CLAIM] * 3, STORE, lease=SECOND)


def test_settle() -> None:
    """A settle resolves and rounds the due time of an outcome."""
    call = calls.settle([Cancel(CLAIM)], COARSE, now=ODD)
    assert call.due(Release(CLAIM)) == DOWN
    assert call.due(Release(CLAIM, ODD)) == UP
    assert call.due(Retry(CLAIM, SECOND, ERROR)) == DOWN + SECOND


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Complete(CLAIM, b"12345"), PayloadTooLarge),
        (Retry(CLAIM, timedelta.max, ERROR), InvalidArgument),
        (Release(CLAIM, LAST), InvalidArgument),
    ],
)
def test_wrong_settle(wrong: Any, error: type[Exception]) -> None:
    """A settle rejects a large result and a due time after the year 9999, even behind a valid outcome."""
    with pytest.raises(error):
        calls.settle([Complete(CLAIM, b"1234"), wrong], COARSE, now=NOW)


def test_clock_of_the_server() -> None:
    """`at` replaces the time by the server's, and everything that depends on it."""
    insert = calls.insert([NewRecord(kind="a", run_at=SECOND)], COARSE).at(ODD)
    assert (insert.now, insert.due) == (DOWN, [DOWN + SECOND])
    claim = calls.claim(["a"], COARSE, limit=1, worker="w", lease=SECOND).at(ODD)
    assert (claim.now, claim.until) == (DOWN, DOWN + SECOND)
    extend = calls.extend([CLAIM], COARSE, lease=SECOND).at(ODD)
    assert (extend.now, extend.until) == (DOWN, DOWN + SECOND)
    settle = calls.settle([], COARSE).at(ODD)
    assert (settle.now, settle.due(Release(CLAIM, SECOND))) == (DOWN, DOWN + SECOND)


def test_given_now_replaces_the_clock() -> None:
    """With a given `now`, the server's clock has no effect."""
    later = NOW + timedelta(days=1)
    insert = calls.insert([NewRecord(kind="a")], STORE, now=NOW)
    claim = calls.claim(["a"], STORE, limit=1, worker="w", lease=SECOND, now=NOW)
    extend = calls.extend([CLAIM], STORE, lease=SECOND, now=NOW)
    settle = calls.settle([], STORE, now=NOW)
    assert insert.at(later) == insert
    assert claim.at(later) == claim
    assert extend.at(later) == extend
    assert settle.at(later) == settle


def test_rescue() -> None:
    """A rescue has a limit and a time."""
    assert calls.rescue(STORE, limit=7, now=NOW)[:2] == (7, NOW)
    with pytest.raises(InvalidArgument, match="limit"):
        calls.rescue(STORE, limit=0)


def test_get() -> None:
    """The ids to get are distinct, and at most a batch."""
    first, second = uuid4(), uuid4()
    assert calls.get([second, first], STORE) == (second, first)
    assert calls.get([first, first], STORE) == (first,)
    with pytest.raises(InvalidArgument, match="ids"):
        calls.get(first, STORE)  # type: ignore[arg-type]  # wrong on purpose


def test_list_and_change() -> None:
    """A list and a change reject a value that is no filter, a filter with too many ids, and a limit below 1."""
    wrong: Any = "default"
    for check in (calls.list, calls.change):
        assert check(Filter(), STORE, limit=3)[:2] == (Filter(), 3)
        for filter, limit in ((wrong, 1), (Filter(ids=[uuid4() for _ in range(3)]), 1), (Filter(), 0)):
            with pytest.raises(InvalidArgument):
                check(filter, STORE, limit=limit)
    with pytest.raises(InvalidArgument, match="after"):
        calls.list(Filter(), STORE, limit=1, after=wrong)


def test_purge() -> None:
    """A purge has distinct final states, and a cut-off that is rounded up."""
    call = calls.purge(["cancelled", State.CANCELLED], COARSE, before=ODD, limit=1)  # type: ignore[list-item]
    assert call == ((State.CANCELLED,), None, UP, 1, None, ())
    kinds = {"kinds": ["a", "b"], "except_kinds": ["b"]}
    only = calls.purge([State.CANCELLED], STORE, since=NOW - SECOND, before=NOW, limit=1, **kinds)
    assert [kind for kind in "abc" if only.selects(kind, NOW - SECOND)] == ["a"]
    assert not only.selects("a", NOW)
    assert not only.selects("a", NOW - 2 * SECOND)
    with pytest.raises(InvalidArgument, match="since"):
        calls.purge([State.CANCELLED], STORE, since=NOW + SECOND, before=NOW, limit=1)
    with pytest.raises(InvalidArgument, match="only final ones"):
        calls.purge([State.RUNNING], STORE, before=NOW, limit=1)


def test_queue_and_wait() -> None:
    """The names of queues are checked, and a timeout may be negative."""
    assert type(calls.queue(Names.MAIN)) is str
    assert calls.wait(["a", "a"], timeout=-SECOND) == (("a",), -SECOND)
    for check in (lambda: calls.queue(""), lambda: calls.wait("a", timeout=SECOND), lambda: calls.wait([], timeout=1)):  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument):
            check()
