"""Transactions in the caller's session, on a server that supports them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from tallystick import Complete, Filter, InvalidArgument, NewRecord, State, Unsupported
from tallystick_mongo import MongoBackend
from tallystick_mongo.connection import Deployment

NOW = datetime(2031, 5, 17, tzinfo=UTC)
LEASE = timedelta(minutes=1)


class RollBack(Exception):
    pass


@pytest.mark.parametrize("commits", [True, False])
def test_jobs_come_with_the_commit(with_transactions: MongoBackend, commits: bool) -> None:
    """Inserts and settled outcomes in a session take effect with its commit, or not at all."""
    backend = with_transactions
    backend.insert([NewRecord(kind="old", unique_key="key")], now=NOW)
    [record] = backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
    with suppress(RollBack), backend.transaction() as session:
        assert list(backend.settle([Complete(record.claim)], transaction=session, now=NOW)) == [True]
        batch = [NewRecord(kind=f"new {n}", unique_key="key") for n in range(2)]
        results = backend.insert(batch, transaction=session, now=NOW)
        assert [result.created for result in results] == [True, False]
        assert len(backend.list(Filter(), limit=9)) == 1
        if not commits:
            raise RollBack
    assert len(backend.list(Filter(), limit=9)) == 1 + commits
    assert backend.get([record.id])[record.id].state is (State.COMPLETED if commits else State.RUNNING)


def test_other_objects_are_rejected(with_transactions: MongoBackend) -> None:
    """An object of another type, and a session without a transaction, are rejected without any effect."""
    with pytest.raises(InvalidArgument, match="must be a pymongo ClientSession"):
        with_transactions.insert([NewRecord(kind="k")], transaction=object(), now=NOW)
    with (
        with_transactions._connection.client.start_session() as session,
        pytest.raises(InvalidArgument, match="start_transaction"),
    ):
        with_transactions.insert([NewRecord(kind="k")], transaction=session, now=NOW)
    assert list(with_transactions.list(Filter(), limit=9)) == []


def test_a_single_node_has_no_transactions(backend: MongoBackend) -> None:
    """A server that reports neither a replica set nor mongos declares no transactions, and rejects them."""
    if backend.capabilities.transactions:
        pytest.skip("the configured server has transactions")
    with pytest.raises(Unsupported, match="single node, which has no transactions"):
        backend.transaction()
    with pytest.raises(Unsupported):
        backend.insert([], transaction=object())


@pytest.mark.parametrize(
    ("hello", "expected"),
    [
        ({"isWritablePrimary": True}, Deployment("single node", writable=True, has_transactions=False)),
        (
            {"isWritablePrimary": False, "setName": "rs"},
            Deployment("replica set 'rs'", writable=False, has_transactions=True),
        ),
        (
            {"isWritablePrimary": True, "msg": "isdbgrid"},
            Deployment("sharded cluster", writable=True, has_transactions=True),
        ),
    ],
)
def test_deployments(hello: dict[str, object], expected: Deployment) -> None:
    """Replica sets and mongos have transactions and change streams."""
    assert Deployment.of(hello) == expected


def test_notify_may_be_off(with_transactions: MongoBackend, replica_set_url: str) -> None:
    """With notify=false, `wait` does not see inserts of other clients; otherwise a change stream reports them."""
    assert (with_transactions.capabilities.transactions, with_transactions.capabilities.notify) == (True, True)
    with MongoBackend.from_url(f"{replica_set_url}&notify=false") as without:
        assert (without.capabilities.transactions, without.capabilities.notify) == (True, False)
