# ruff: noqa: D102  # a rule is named after the method that it calls
"""The SQLite backend returns the same as the memory backend for the same calls."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tallystick import (
    FINAL,
    Backend,
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    Order,
    Outcome,
    Record,
    Release,
    Retry,
    State,
)
from tallystick_memory import MemoryBackend
from tallystick_sqlite import SqliteBackend, listing

ALL = 1_000
QUEUES = ["a", "b", "c"]
IDS = [UUID(int=number << 64 | number) for number in range(1, 13)]

delays = st.sampled_from([None, timedelta(0), timedelta(seconds=1), timedelta(seconds=5)])
some = st.lists
policies: list[dict[str, object]] = [
    {},
    {"on_conflict": "replace"},
    {"on_conflict": "debounce"},
    {"on_conflict": "debounce", "debounce_max": timedelta(seconds=3)},
]


def _new(unique_key: str | None, policy: dict[str, object], **fields: object) -> NewRecord:
    return NewRecord(unique_key=unique_key, **fields, **(policy if unique_key else {}))  # type: ignore[arg-type]


new_records = st.builds(
    _new,
    id=st.sampled_from(IDS),
    kind=st.sampled_from(["k", "l"]),
    queue=st.sampled_from(QUEUES),
    priority=st.integers(-2, 2),
    max_attempts=st.integers(1, 3),
    run_at=delays,
    unique_key=st.sampled_from([None, None, "x", "y"]),
    unique_until=st.sampled_from(["started", "finished", "purged", timedelta(seconds=4)]),
    policy=st.sampled_from(policies),
    tags=some(st.sampled_from(["t", "ü", "it's"]), max_size=2),
    payload=st.binary(max_size=4),
    meta=st.sampled_from([{}, {"trace": "\0\ud800ü"}]),
)
claims = st.builds(Claim, st.sampled_from(IDS), st.integers(0, 4))
errors = st.sampled_from([Failure("E", "m\0\ud800", "t"), Failure("ü", "\U0001f600 m", "E"), Failure("\0", "", "m")])
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
changes = st.builds(
    Changes,
    run_at=st.just(None),
    priority=st.integers(-2, 2),
    queue=st.sampled_from([None, *QUEUES, "new"]),
)


@st.composite
def wide_filters(draw: st.DrawFn, now: datetime) -> Filter:
    """Draw a filter with the fields that few calls use."""

    def between() -> list[datetime | None]:
        first, last = sorted((draw(st.integers(-20, 0)), draw(st.integers(-20, 3))))
        return [draw(st.sampled_from([None, now + timedelta(seconds=at)])) for at in (first, last)]

    (created_since, created_until), (finished_since, finished_until) = between(), between()
    return replace(
        draw(filters),
        error_types=draw(st.none() | some(st.sampled_from(["E", "ü", "LeaseExpired", "none"]), max_size=3)),
        error_text=draw(st.sampled_from([None, None, "E", "m", "\0", "\ud800", "\ud83d", "ü", "\U0001f600"])),
        workers=draw(st.none() | st.just(["w"])),
        unique_keys=draw(st.none() | some(st.sampled_from(["x", "y", "none"]), max_size=3)),
        created_since=created_since,
        created_until=created_until,
        finished_since=finished_since,
        finished_until=finished_until,
    )


orders: st.SearchStrategy[Order] = st.sampled_from(["id", "finished_at", "run_at"])


def _position(record: Record, order: Order) -> UUID | tuple[datetime, UUID]:
    if order == "id":
        return record.id
    moment = record.finished_at if order == "finished_at" else record.run_at
    assert moment is not None
    return moment, record.id


class SameResults(RuleBasedStateMachine):
    """For any sequence of calls, both backends return the same results and contain the same records."""

    FEW = listing.FEW

    @initialize(
        start=st.sampled_from([datetime(2001, 1, 1, tzinfo=UTC), datetime(1960, 1, 1, 0, 0, 0, 1, tzinfo=UTC)]),
        search=st.booleans(),
    )
    def open(self, start: datetime, search: bool) -> None:
        self.now = start
        self.few = patch.object(listing, "FEW", self.FEW)
        self.few.start()
        self.folder = TemporaryDirectory()
        self.memory = MemoryBackend.from_url("memory://")
        options = f"synchronous=NORMAL&search={str(search).lower()}"
        self.sqlite = SqliteBackend.from_url(f"sqlite:///{Path(self.folder.name)}/jobs.db?{options}")
        self.sqlite.setup()

    def teardown(self) -> None:
        self.few.stop()
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

    @rule(filter=filters, changes=changes)
    def update(self, filter: Filter, changes: Changes) -> None:
        self.same(lambda backend: set(backend.update(filter, changes, limit=ALL, now=self.now)))

    @rule(filter=filters, seconds=st.integers(-3, 3))
    def reschedule(self, filter: Filter, seconds: int) -> None:
        changes = Changes(run_at=self.now + timedelta(seconds=seconds))
        self.same(lambda backend: set(backend.update(filter, changes, limit=ALL, now=self.now)))

    @rule(
        states=some(st.sampled_from(sorted(FINAL))),
        seconds=st.integers(-2, 2),
        since=st.none() | st.integers(-9, -3),
        kinds=st.none() | some(st.sampled_from(["k", "l"]), max_size=1),
        except_kinds=some(st.sampled_from(["k", "l"]), max_size=1),
    )
    def purge(
        self, states: list[State], seconds: int, since: int | None, kinds: list[str] | None, except_kinds: list[str]
    ) -> None:
        before = self.now + timedelta(seconds=seconds)
        first = None if since is None else self.now + timedelta(seconds=since)
        self.same(
            lambda backend: backend.purge(
                states, before=before, limit=ALL, since=first, kinds=kinds, except_kinds=except_kinds
            )
        )

    @rule(queue=st.sampled_from(QUEUES))
    def pause(self, queue: str) -> None:
        self.same(lambda backend: backend.pause(queue))

    @rule(queue=st.sampled_from(QUEUES))
    def resume(self, queue: str) -> None:
        self.same(lambda backend: backend.resume(queue))

    @rule(filter=filters, limit=st.integers(1, 12), after=st.none() | st.sampled_from(IDS))
    def list(self, filter: Filter, limit: int, after: UUID | None) -> None:
        self.same(lambda backend: backend.list(filter, limit=limit, after=after))

    @rule(data=st.data(), order=orders, limit=st.integers(1, 4))
    def pages(self, data: st.DataObject, order: Order, limit: int) -> None:
        filter = data.draw(wide_filters(self.now))
        after: UUID | tuple[datetime, UUID] | None = None
        while page := self.memory.list(filter, limit=limit, order=order, after=after):
            assert self.sqlite.list(filter, limit=limit, order=order, after=after) == page
            after = _position(page[-1], order)
        assert self.sqlite.list(filter, limit=limit, order=order, after=after) == page

    @rule(data=st.data(), at_most=st.sampled_from([2, 100]))
    def count(self, data: st.DataObject, at_most: int) -> None:
        filter = data.draw(wide_filters(self.now))
        self.same(lambda backend: backend.count(filter, at_most=at_most))

    @rule(data=st.data())
    def delete_many(self, data: st.DataObject) -> None:
        filter = data.draw(wide_filters(self.now))
        self.same(lambda backend: set(backend.delete(filter, limit=ALL)))

    @invariant()
    def same_store(self) -> None:
        self.same(lambda backend: backend.get(IDS))
        self.same(lambda backend: backend.stats(now=self.now))
        self.same(lambda backend: backend.queues())


class SameScans(SameResults):
    """The same holds if each page is scanned, as in a store with many records."""

    FEW = 0


TestSameResults = SameResults.TestCase
TestSameScans = SameScans.TestCase
TestSameResults.settings = TestSameScans.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
