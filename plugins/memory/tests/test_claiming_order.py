"""The order of claims in memory, where the due jobs of a queue are in two places."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from tallystick import NewRecord, Record
from tallystick.backends.selection import claiming_order
from tallystick_memory import MemoryBackend

START = datetime(2026, 11, 29, tzinfo=UTC)
LEASE = timedelta(minutes=1)


class Insert(NamedTuple):
    now: datetime
    run_at: datetime
    priority: int


class Claims(NamedTuple):
    now: datetime
    limit: int


moments = st.integers(-3, 3).map(lambda minutes: START + timedelta(minutes=minutes))
calls = st.builds(Insert, moments, moments, st.integers(-1, 1)) | st.builds(Claims, moments, st.integers(1, 4))


@given(st.lists(calls, max_size=30))
def test_each_claim_takes_the_first_due_jobs(calls: list[Insert | Claims]) -> None:
    """A claim takes the first due jobs in claiming order, also after the clock went backwards."""
    waiting: list[Record] = []
    with MemoryBackend() as backend:
        for call in calls:
            if isinstance(call, Insert):
                new = NewRecord(kind="a", run_at=call.run_at, priority=call.priority)
                waiting += [one.record for one in backend.insert([new], now=call.now)]
                continue
            due = sorted((record for record in waiting if record.run_at <= call.now), key=claiming_order)
            first = [record.id for record in due[: call.limit]]
            claimed = backend.claim(["default"], limit=call.limit, worker="w", lease=LEASE, now=call.now)
            assert [record.id for record in claimed] == first
            waiting = [record for record in waiting if record.id not in first]
