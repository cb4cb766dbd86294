"""Unique keys on one server: races with one client, lost replies, damaged holders, transactions and commands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, NotPrimaryError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from tallystick import (
    Complete,
    Filter,
    Inserted,
    NewRecord,
    OnConflict,
    OutcomeUnknown,
    State,
    Unavailable,
    UniqueUntil,
)
from tallystick_mongo import MongoBackend, meeting, queries
from tallystick_mongo.collections import Collections
from tallystick_mongo.guarded_writes import apply
from tallystick_mongo.location import Location

NOW = datetime(2031, 5, 17, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Between = Callable[[Callable[[], object]], None]
"""Calls a function once, after an insert has found the holder and before it changes it."""


def new(
    payload: bytes = b"", on_conflict: OnConflict = "skip", key: str = "key", until: UniqueUntil = "finished"
) -> NewRecord:
    return NewRecord(kind="k", payload=payload, unique_key=key, unique_until=until, on_conflict=on_conflict)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Return a function that changes the store between the two steps of a conflict."""

    def prepare(act: Callable[[], object]) -> None:
        change, acts = meeting._change, [act]

        def later(*args: Any) -> Any:
            while acts:
                acts.pop()()
            return change(*args)

        monkeypatch.setattr(meeting, "_change", later)

    return prepare


def claim(backend: MongoBackend) -> None:
    assert len(backend.claim(["default"], limit=1, worker="w", lease=MINUTE, now=NOW)) == 1


def finish(backend: MongoBackend) -> None:
    [record] = backend.claim(["default"], limit=1, worker="w", lease=MINUTE, now=NOW)
    assert backend.settle([Complete(record.claim)], now=NOW) == [True]


@pytest.mark.parametrize("policy", ["replace", "debounce"])
def test_a_job_that_is_claimed_first_stays(backend: MongoBackend, between: Between, policy: OnConflict) -> None:
    """A holder that is claimed after an insert found it is not changed, and the insert returns it as it runs."""
    [holder] = backend.insert([new(b"old")], now=NOW)
    between(lambda: claim(backend))
    [result] = backend.insert([new(b"new", policy)], now=NOW)
    assert (result.record.id, result.record.state, result.applied) == (holder.record.id, State.RUNNING, None)
    assert backend.list(Filter(), limit=9) == [result.record]
    assert result.record.payload == b"old"


@pytest.mark.parametrize(("until", "act"), [("started", claim), ("finished", finish)])
def test_a_key_that_is_freed_first_is_taken(
    backend: MongoBackend, between: Between, until: UniqueUntil, act: Callable[[MongoBackend], None]
) -> None:
    """If the holder frees its key after an insert found it, the insert stores its job, which later jobs then meet."""
    [holder] = backend.insert([new(b"old", until=until)], now=NOW)
    between(lambda: act(backend))
    batch = [new(b"1", "replace"), new(b"2"), new(b"3", "replace"), new(b"4")]
    results = backend.insert(batch, now=NOW)
    assert [(each.record.id, each.record.payload, each.created, each.applied) for each in results] == [
        (batch[0].id, b"1", True, None),
        (batch[0].id, b"1", False, None),
        (batch[0].id, b"3", False, "replace"),
        (batch[0].id, b"3", False, None),
    ]
    stored = {record.id: record.payload for record in backend.list(Filter(), limit=9)}
    assert stored == {holder.record.id: b"old", batch[0].id: b"3"}


def test_a_claim_returns_a_replaced_job_as_stored(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim never returns the payload of before a replace, even if both happen in one millisecond."""
    backend.insert([new(b"old")], now=NOW)
    acts = [lambda: backend.insert([new(b"new", "replace")], now=NOW)]

    def later(*args: Any) -> Any:
        while acts:
            acts.pop()()
        return apply(*args)

    monkeypatch.setattr("tallystick_mongo.claiming.apply", later)
    [record] = backend.claim(["default"], limit=1, worker="w", lease=MINUTE, now=NOW)
    assert record.payload == b"new"
    assert backend.list(Filter(), limit=9) == [record]


@pytest.mark.parametrize(
    ("failure", "others", "raised"),
    [
        (NotPrimaryError("a new primary"), 0, Unavailable),
        (NotPrimaryError("a new primary"), 1, OutcomeUnknown),
        (AutoReconnect("the answer is lost"), 0, OutcomeUnknown),
    ],
    ids=["nothing is stored", "another job is stored", "the reply is lost"],
)
def test_a_failed_change(
    backend: MongoBackend, between: Between, failure: Exception, others: int, raised: type[Exception]
) -> None:
    """A call that fails before it changes a holder raises Unavailable if it stored nothing. A repeat changes it."""

    def fail() -> None:
        raise failure

    backend.insert([new(b"old")], now=NOW)
    batch = [*(NewRecord(kind="k") for _ in range(others)), new(b"new", "replace")]
    between(fail)
    with pytest.raises(raised):
        backend.insert(batch, now=NOW)
    assert sorted(record.payload for record in backend.list(Filter(), limit=9)) == [b""] * others + [b"old"]
    assert [each.created for each in backend.insert(batch, now=NOW)] == [False] * (others + 1)
    assert sorted(record.payload for record in backend.list(Filter(), limit=9)) == [b""] * others + [b"new"]


@pytest.mark.parametrize("until", ["started", "finished", "purged", MINUTE])
@pytest.mark.parametrize("policy", ["skip", "replace", "debounce"])
def test_a_free_key_costs_no_command(backend: MongoBackend, url: str, until: UniqueUntil, policy: OnConflict) -> None:
    """An insert sends as many commands with a unique key that is free as without a key."""
    commands = Commands()
    location = Location.parse(url)
    listened = replace(location, arguments={**location.arguments, "event_listeners": [commands]})
    with MongoBackend(listened) as counted:
        counted.insert([NewRecord(kind="k")], now=NOW)
        sent = []
        for one in (NewRecord(kind="k"), new(on_conflict=policy, until=until)):
            before = commands.count
            assert counted.insert([one], now=NOW)[0].created
            sent.append(commands.count - before)
    assert sent[0] == sent[1] > 0


class Commands(CommandListener):
    """Counts commands."""

    count = 0

    def started(self, event: CommandStartedEvent) -> None:
        """Count a command."""
        self.count += 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignore a reply."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignore a reply."""


def test_a_requeue_that_fails_later_returns_its_changes(backend: MongoBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the server fails while a requeue frees keys, the requeue returns the jobs that it has changed."""
    free, blocked = (each.record.id for each in backend.insert([new(key="free"), new(key="key")], now=NOW))
    backend.cancel(Filter(), limit=9, now=NOW)
    backend.insert([new(key="key")], now=NOW)

    def fail(*args: object) -> None:
        raise NotPrimaryError("a new primary")

    monkeypatch.setattr(queries, "passed", fail)
    assert backend.requeue(Filter(ids=[free, blocked]), limit=9, now=NOW) == [free]


@pytest.mark.parametrize("policy", ["skip", "replace", "debounce"])
@pytest.mark.parametrize(
    "damage",
    [
        {"created_at": "now"},
        {"kind": 5},
        {"state": "bogus"},
        {"tags": 5, "meta": 5},
        {"unique_until": "never"},
        {"unique_until": 60},
        {"attempt": 2**31 - 1},
        {"held_until": "soon"},
        {"held_until": None},
        {"updated_at": None, "changed_by": 5},
    ],
    ids=str,
)
def test_a_damaged_holder_stays(
    backend: MongoBackend, store: Collections, policy: OnConflict, damage: dict[str, Any]
) -> None:
    """An insert that meets a damaged holder ends, and stores its other jobs. A damaged key is still held."""
    [holder] = backend.insert([new(b"old")], now=NOW)
    store.jobs.update_one({"_id": holder.record.id}, {"$set": damage})
    kind = str(damage.get("kind", "k"))
    met, other = backend.insert([replace(new(b"new", policy), kind=kind), NewRecord(kind="k")], now=NOW)
    assert other.created
    assert (met.record.id, met.created) == (holder.record.id, False)


@pytest.mark.parametrize("commits", [True, False])
def test_a_replace_ends_with_the_callers_transaction(with_transactions: MongoBackend, commits: bool) -> None:
    """A committed transaction changes a holder and frees the key of a passed time; a rolled back one does neither."""
    backend = with_transactions
    backend.insert([new(b"old"), new(b"old", key="passed", until=MINUTE)], now=NOW)

    def insert() -> list[Inserted]:
        with backend.transaction() as session:
            batch = [new(b"new", "replace"), new(b"new", "replace", "passed")]
            results = list(backend.insert(batch, transaction=session, now=NOW + MINUTE))
            assert [(each.created, each.applied) for each in results] == [(False, "replace"), (True, None)]
            if not commits:
                raise ZeroDivisionError
        return results

    if commits:
        insert()
    else:
        with pytest.raises(ZeroDivisionError):
            insert()
    stored = sorted(record.payload for record in backend.list(Filter(), limit=9))
    assert stored == ([b"new", b"new", b"old"] if commits else [b"old", b"old"])


def test_a_callers_transaction_never_changes_a_claimed_job(with_transactions: MongoBackend) -> None:
    """A transaction that began before a claim fails if it meets the claimed job, which stays."""
    backend = with_transactions
    backend.insert([new(b"old")], now=NOW)

    def insert() -> None:
        with backend.transaction() as session:
            backend.insert([new(b"first", key="other")], transaction=session, now=NOW)
            claim(backend)
            backend.insert([new(b"new", "replace")], transaction=session, now=NOW)

    with pytest.raises(Unavailable):
        insert()
    assert [record.payload for record in backend.list(Filter(), limit=9)] == [b"old"]
