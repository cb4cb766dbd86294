"""A primary that steps down, simulated by fail points of the server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import OperationFailure
from tallystick import Complete, Filter, NewRecord, State, Unavailable
from tallystick_mongo import MongoBackend

NOW = datetime(2031, 5, 17, tzinfo=UTC)
LEASE = timedelta(minutes=1)

Use = Callable[[MongoBackend], Any]


@contextmanager
def _stepping_down(backend: MongoBackend, mode: Any) -> Iterator[None]:
    """Make the server reject inserts and updates during the block."""
    admin = backend._connection.client.admin
    error = {"errorCode": 10107, "errorMessage": "stepped down", "errorLabels": ["RetryableWriteError"]}
    data = {"failCommands": ["insert", "update"], **error}
    try:
        admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
    except OperationFailure as exc:
        pytest.skip(f"the configured server has no fail points: {exc}")
    try:
        yield
    finally:
        admin.command("configureFailPoint", "failCommand", mode="off")


def _stock(backend: MongoBackend) -> None:
    """Store two running jobs, the first with a very short lease, and a pending one."""
    backend.insert([NewRecord(kind="k") for _ in range(3)], now=NOW)
    for lease in (timedelta(milliseconds=1), LEASE):
        backend.claim(["default"], limit=1, worker="w", lease=lease, now=NOW)


def _of(backend: MongoBackend, state: State) -> Filter:
    return Filter(ids=[record.id for record in backend.list(Filter(states=[state]), limit=1)])


USES: dict[str, Use] = {
    "insert": lambda b: [item.created for item in b.insert([NewRecord(kind="one")], now=NOW)],
    "batch": lambda b: [item.created for item in b.insert([NewRecord(kind="k") for _ in range(2)])],
    "restore": lambda b: b.restore([new.stored(NOW) for new in (NewRecord(kind="k"), NewRecord(kind="k"))], now=NOW),
    "claim": lambda b: len(b.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)) == 1,
    "extend": lambda b: b.extend([b.list(_of(b, State.RUNNING), limit=1)[0].claim], lease=LEASE, now=NOW),
    "settle": lambda b: b.settle([Complete(b.list(_of(b, State.RUNNING), limit=1)[0].claim)], now=NOW),
    "rescue": lambda b: len(b.rescue(limit=9, now=NOW + LEASE / 2)) == 1,
    "cancel": lambda b: len(b.cancel(_of(b, State.PENDING), limit=1, now=NOW)) == 1,
    "delete": lambda b: len(b.delete(_of(b, State.PENDING), limit=1)) == 1,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_one_step_down_is_not_noticed(
    with_transactions: MongoBackend, use: Use, caplog: pytest.LogCaptureFixture
) -> None:
    """If the primary steps down once, the driver repeats the write, and the call succeeds."""
    _stock(with_transactions)
    with caplog.at_level("DEBUG", "pymongo.command"), _stepping_down(with_transactions, {"times": 1}):
        assert use(with_transactions) in (True, [True], [True, True], ["held"])
    assert len([message for message in caplog.messages if '"Command failed"' in message]) == 1


def test_without_a_primary_nothing_happens(with_transactions: MongoBackend) -> None:
    """If every try is rejected, the call raises Unavailable and has stored nothing."""
    _stock(with_transactions)
    for new in ([NewRecord(kind="new")], [NewRecord(kind="new") for _ in range(2)]):
        with _stepping_down(with_transactions, "alwaysOn"), pytest.raises(Unavailable, match="stepped down"):
            with_transactions.insert(new)
    assert not with_transactions.list(Filter(kinds=["new"]), limit=9)
