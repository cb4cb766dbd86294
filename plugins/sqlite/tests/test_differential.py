# ruff: noqa: D102  # a rule is named after the method that it calls
"""The SQLite backend returns the same as the memory backend for the same calls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tallystick import (
    FINAL,
    Backend,
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    Outcome,
    Release,
    Retry,
    State,
)
from tallystick_memory import MemoryBackend
from tallystick_sqlite import SqliteBackend

ALL = 1_000
QUEUES = ["a", "b", "c"]
IDS = [UUID(int=number << 64 | number) for number in range(1, 13)]

delays = st.sampled_from([None, timedelta(0), timedelta(seconds=1), timedelta(seconds=5)])
some = st.lists
new_records = st.builds(
    NewRecord,
    id=st.sampled_from(IDS),
    kind=st.sampled_from(["k", "l"]),
    queue=st.sampled_from(QUEUES),
    priority=st.integers(-2, 2),
    max_attempts=st.integers(1, 3),
    run_at=delays,
    unique_key=st.sampled_from([None, None, "x", "y"]),
    unique_until=st.sampled_from(["finished", "purged"]),
    tags=some(st.sampled_from(["t", "ü", "it's"]), max_size=2),
    payload=st.binary(max_size=4),
)
claims = st.builds(Claim, st.sampled_from(IDS), st.integers(0, 4))
errors = st.just(Failure("E", "m\0\ud800", "t"))
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Complete, claims, st.none() | st.binary(max_size=3)),
    st.builds(Retry, claims, delays.filter(lambda delay: delay is not None), errors),
    st.builds(Discard, claims, errors),
    st.builds(Release, claims, delays),
    st.builds(Cancel, claims),
)
filters = st.builds(
    Filter,
    ids=st.none() | some(st.sampled_from(IDS), max_size=4),
    states=st.none() | some(st.sampled_from(State), max_size=3),
    kinds=st.none() | some(st.sampled_from(["k", "l", "none"]), max_size=2),
    queues=st.none() | some(st.sampled_from(QUEUES), max_size=2),
    tags=st.none() | some(st.sampled_from(["t", "ü", "none"]), max_size=2),
)


class SameResults(RuleBasedStateMachine):
    """For any sequence of calls, both backends return the same results and contain the same records."""

    @initialize(start=st.sampled_from([datetime(2001, 1, 1, tzinfo=UTC), datetime(1960, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]))
    def open(self, start: datetime) -> None:
        self.now = start
        self.folder = TemporaryDirectory()
        self.memory = MemoryBackend.from_url("memory://")
        self.sqlite = SqliteBackend.from_url(f"sqlite:///{Path(self.folder.name)}/jobs.db?synchronous=NORMAL")
        self.sqlite.setup()

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()

    def same(self, call: Callable[[Backend], object]) -> None:
        expected = call(self.memory)
        assert call(self.sqlite) == expected

    @rule(seconds=st.integers(1, 6))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(records=some(new_records, max_size=6))
    def insert(self, records: list[NewRecord]) -> None:
        self.same(lambda backend: backend.insert(records, now=self.now))

    @rule(queues=some(st.sampled_from(QUEUES)), limit=st.integers(1, 6), seconds=st.integers(1, 9))
    def claim(self, queues: list[str], limit: int, seconds: int) -> None:
        lease = timedelta(seconds=seconds)
        self.same(lambda backend: backend.claim(queues, limit=limit, worker="w", lease=lease, now=self.now))

    @rule(claims=some(claims))
    def extend(self, claims: list[Claim]) -> None:
        self.same(lambda backend: backend.extend(claims, lease=timedelta(seconds=5), now=self.now))

    @rule(outcomes=some(outcomes, max_size=12))
    def settle(self, outcomes: list[Outcome]) -> None:
        self.same(lambda backend: backend.settle(outcomes, now=self.now))

    @rule()
    def rescue(self) -> None:
        self.same(lambda backend: sorted(backend.rescue(limit=ALL, now=self.now), key=lambda record: record.id))

    @rule(filter=filters)
    def cancel(self, filter: Filter) -> None:
        self.same(lambda backend: set(backend.cancel(filter, limit=ALL, now=self.now)))

    @rule(id=st.sampled_from(IDS))
    def requeue(self, id: UUID) -> None:
        self.same(lambda backend: backend.requeue(Filter(ids=[id]), limit=ALL, now=self.now))

    @rule(filter=filters)
    def delete(self, filter: Filter) -> None:
        self.same(lambda backend: set(backend.delete(filter, limit=ALL)))

    @rule(states=some(st.sampled_from(sorted(FINAL))), seconds=st.integers(-2, 2))
    def purge(self, states: list[State], seconds: int) -> None:
        before = self.now + timedelta(seconds=seconds)
        self.same(lambda backend: backend.purge(states, before=before, limit=ALL))

    @rule(queue=st.sampled_from(QUEUES))
    def pause(self, queue: str) -> None:
        self.same(lambda backend: backend.pause(queue))

    @rule(queue=st.sampled_from(QUEUES))
    def resume(self, queue: str) -> None:
        self.same(lambda backend: backend.resume(queue))

    @rule(filter=filters, limit=st.integers(1, 12), after=st.none() | st.sampled_from(IDS))
    def list(self, filter: Filter, limit: int, after: UUID | None) -> None:
        self.same(lambda backend: backend.list(filter, limit=limit, after=after))

    @invariant()
    def same_store(self) -> None:
        self.same(lambda backend: backend.get(IDS))
        self.same(lambda backend: backend.stats(now=self.now))
        self.same(lambda backend: backend.queues())


TestSameResults = SameResults.TestCase
TestSameResults.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
