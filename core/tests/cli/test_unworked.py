"""Findings about jobs that no worker works."""

from datetime import timedelta

import pytest
from tallystick import Backend, NewRecord, Release, Severity, open_backend
from tallystick.cli.unworked import PATIENCE, PUT_BACK_TIMES, unworked

from ..helpers import NOW, SECOND

LATER = NOW + PATIENCE + SECOND


@pytest.fixture
def store() -> Backend:
    """Open a store with a job in the queue "emails", due since NOW."""
    store = open_backend("memory://")
    store.insert([NewRecord(kind="mail", queue="emails")], now=NOW)
    return store


def warnings(store: Backend) -> dict[str, str]:
    """Return a store's warnings by their names."""
    return {
        finding.name: finding.found for finding in unworked(store, now=LATER) if finding.severity is Severity.WARNING
    }


def test_unserved_queue(store: Backend) -> None:
    """A queue whose oldest job is overdue, with none running, is a warning with the numbers."""
    assert warnings(store) == {"queue emails": "1 jobs are due, the oldest for 0:05:01, and none is running"}


def test_short_wait(store: Backend) -> None:
    """A job that has been due only briefly is no warning; the finding is OK."""
    [finding] = unworked(store, now=NOW + SECOND)
    assert (finding.name, finding.severity) == ("queues", Severity.OK)


@pytest.mark.parametrize("lease", [2 * PATIENCE, SECOND], ids=["alive", "dead"])
def test_busy_queue(store: Backend, lease: timedelta) -> None:
    """A queue with a running job is busy, unless its lease has expired without a rescue."""
    store.insert([NewRecord(kind="mail", queue="emails")], now=NOW)
    store.claim(["emails"], limit=1, worker="w", lease=lease, now=NOW)
    assert ("queue emails" in warnings(store)) == (lease == SECOND)


def test_expired_leases(store: Backend) -> None:
    """A lease that expired long ago shows that no worker rescues."""
    store.claim(["emails"], limit=1, worker="w", lease=SECOND, now=NOW)
    [finding] = unworked(store, now=LATER + 2 * SECOND)
    assert finding.name == "expired leases"
    assert "1 running jobs have an expired lease; the oldest expired 0:05:02 ago" in finding.found


def test_paused_queue(store: Backend) -> None:
    """A paused queue with due jobs is a separate warning, without delay."""
    store.pause("emails")
    [finding] = unworked(store, now=NOW + SECOND)
    assert "paused" in finding.found
    assert finding.advice.endswith("tallystick queues resume emails")


def test_released_again_and_again(store: Backend) -> None:
    """A kind whose jobs are claimed and released many times without an error is unknown to every worker."""
    for _ in range(PUT_BACK_TIMES):
        assert "kind mail" not in warnings(store)
        [record] = store.claim(["emails"], limit=1, worker="w", lease=SECOND, now=NOW)
        store.settle([Release(record.claim)], now=NOW)
    assert warnings(store)["kind mail"].startswith("1 jobs were claimed and put back")


def test_empty_store() -> None:
    """A store without queues has no findings."""
    assert list(unworked(open_backend("memory://"))) == []
