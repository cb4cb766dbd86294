"""A session of the caller's, on a server that has transactions."""

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
    """What is inserted and settled in a session happens with its commit, or never."""
    backend = with_transactions
    backend.insert([NewRecord(kind="old", unique_key="key")], now=NOW)
    [record] = backend.claim(["default"], limit=1, worker="w", lease=LEASE, now=NOW)
    with suppress(RollBack), backend.transaction() as session:
        assert list(backend.settle([Complete(record.claim)], transaction=session, now=NOW)) == [True]
        batch = [NewRecord(kind=f"new {n}", unique_key="key") for n in range(2)]
        answers = backend.insert(batch, transaction=session, now=NOW)
        assert [answer.created for answer in answers] == [True, False]
        assert len(backend.list(Filter(), limit=9)) == 1
        if not commits:
            raise RollBack
    assert len(backend.list(Filter(), limit=9)) == 1 + commits
    assert backend.get([record.id])[record.id].state is (State.COMPLETED if commits else State.RUNNING)


def test_what_is_no_transaction_is_refused(with_transactions: MongoBackend) -> None:
    """An object of another kind, and a session in which nothing was begun, are refused before any effect."""
    with pytest.raises(InvalidArgument, match="must be a pymongo ClientSession"):
        with_transactions.insert([NewRecord(kind="k")], transaction=object(), now=NOW)
    with (
        with_transactions._connection.client.start_session() as session,
        pytest.raises(InvalidArgument, match="start_transaction"),
    ):
        with_transactions.insert([NewRecord(kind="k")], transaction=session, now=NOW)
    assert list(with_transactions.list(Filter(), limit=9)) == []


def test_a_single_node_declares_none(backend: MongoBackend) -> None:
    """What hello does not tell of is not declared, and refused; so on a server that is no replica set."""
    if backend.capabilities.transactions:
        pytest.skip("the server that was given has transactions")
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
def test_what_a_server_says_is_what_it_can(hello: dict[str, object], expected: Deployment) -> None:
    """Transactions and change streams are those of replica sets and of what is behind a mongos."""
    assert Deployment.of(hello) == expected


def test_notify_may_be_off(with_transactions: MongoBackend, replica_set_url: str) -> None:
    """With notify=false nothing is promised of other clients' inserts; else a change stream tells of them."""
    assert (with_transactions.capabilities.transactions, with_transactions.capabilities.notify) == (True, True)
    with MongoBackend.from_url(f"{replica_set_url}&notify=false") as without:
        assert (without.capabilities.transactions, without.capabilities.notify) == (True, False)
