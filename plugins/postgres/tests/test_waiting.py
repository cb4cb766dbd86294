"""When a wait queries the server after a notification, and when it ends without a query."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import pytest
from tallystick.backends.calls import WaitCall
from tallystick.backends.waiting import Seen, WakeUps
from tallystick_postgres.listener import Listener
from tallystick_postgres.waiting import Waiting

CALL = WaitCall(("q",), timedelta(days=1))


class Store:
    """The server and the listener: a notification arrives when a wait falls asleep, and a job is due from then on."""

    listening = True

    def __init__(self) -> None:
        self.queries = 0
        self.can_be_claimed = True
        self._notified = False
        self._due = 0
        self._wake_ups = WakeUps()
        self.waiting = Waiting(self._query, self._wake_ups, cast("Listener", self))

    def wait(self) -> int:
        """Wait for one job, and return the number of queries."""
        self.queries, self._notified = 0, False
        assert self.waiting.wait(CALL)
        return self.queries

    def _query(self, queues: Sequence[str]) -> float | None:
        self.queries += 1
        return 0 if self._notified else None

    def due(self, queues: Sequence[str]) -> int:
        """Return the number of notifications about jobs that can be claimed."""
        return self._due

    def look(self) -> None:
        """Find no notification."""

    def sleep(self, queues: Sequence[str], seen: Seen, seconds: float) -> bool:
        """Notify."""
        self._notified = True
        self._due += self.can_be_claimed
        self._wake_ups.wake(queues)
        return True


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_job_that_can_be_claimed_needs_no_query(store: Store) -> None:
    """The wait queries once, before it sleeps. The notification ends it."""
    assert store.wait() == 1


def test_another_notification_needs_a_query(store: Store) -> None:
    """After a notification about a future job or a paused queue, the wait queries when a job is due."""
    store.can_be_claimed = False
    assert store.wait() == 2


def test_a_client_that_found_no_job_queries_first(store: Store) -> None:
    """After a claim in vain, a wait queries after each notification, until a claim finds a job."""
    for found, queries in ((True, 1), (False, 2), (True, 1)):
        store.wait()
        store.waiting.claimed(found=found)
        assert store.wait() == queries


def test_a_second_claim_in_vain_is_no_loss(store: Store) -> None:
    """A worker that found a job claims again, and finds none. Its next wait still ends without a query."""
    store.wait()
    store.waiting.claimed(found=True)
    store.waiting.claimed(found=False)
    assert store.wait() == 1
