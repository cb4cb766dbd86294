"""Guarded writes report which of several updates took effect, even after a lost response."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError
from tallystick import Claim, Complete, NewRecord, OutcomeUnknown, State, Unavailable
from tallystick_mongo import MongoBackend
from tallystick_mongo.collections import Collections

NOW = datetime(2031, 5, 17, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def _running(backend: MongoBackend, count: int) -> list[Claim]:
    backend.insert([NewRecord(kind="k") for _ in range(count)], now=NOW)
    return [record.claim for record in backend.claim(["default"], limit=count, worker="w", lease=LEASE, now=NOW)]


def _losing(monkeypatch: pytest.MonkeyPatch, store: Collections, *, applied: bool, error: type[AutoReconnect]) -> None:
    """Make each bulk write lose its response, before or after it takes effect."""
    collection = type(store.jobs)
    bulk_write = collection.bulk_write

    def lose(self: Any, *args: Any, **kwargs: Any) -> Any:
        if applied:
            bulk_write(self, *args, **kwargs)
        raise error("lost")

    monkeypatch.setattr(collection, "bulk_write", lose)


def test_each_outcome_has_its_result(backend: MongoBackend) -> None:
    """Settling a batch with stale claims returns one result per outcome."""
    claims = _running(backend, 4)
    outcomes = [Complete(claim if n % 2 else Claim(claim.id, 9)) for n, claim in enumerate(claims)]
    assert list(backend.settle(outcomes, now=NOW)) == [False, True, False, True]


def test_one_object_twice_is_applied_once(backend: MongoBackend) -> None:
    """The same outcome twice in a batch is applied once."""
    [claim] = _running(backend, 1)
    outcome = Complete(claim)
    assert list(backend.settle([outcome, outcome], now=NOW)) == [True, False]


def test_a_lost_response_is_recovered(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If every update has left its mark, the call succeeds despite the lost response."""
    claims = _running(backend, 3)
    _losing(monkeypatch, store, applied=True, error=AutoReconnect)
    assert list(backend.settle([Complete(claim) for claim in claims], now=NOW)) == [True] * 3


def test_a_late_write_is_unknown(backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch) -> None:
    """If marks are missing, the updates may still arrive, so the call raises OutcomeUnknown."""
    claims = _running(backend, 3)
    _losing(monkeypatch, store, applied=False, error=AutoReconnect)
    with pytest.raises(OutcomeUnknown):
        backend.settle([Complete(claim) for claim in claims], now=NOW)


def test_an_unsent_write_did_not_happen(
    backend: MongoBackend, store: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no server could be selected, the call raises Unavailable, and nothing has changed."""
    claims = _running(backend, 1)
    _losing(monkeypatch, store, applied=False, error=ServerSelectionTimeoutError)
    with pytest.raises(Unavailable):
        backend.settle([Complete(claims[0])], now=NOW)
    monkeypatch.undo()
    assert backend.get([claims[0].id])[claims[0].id].state is State.RUNNING
