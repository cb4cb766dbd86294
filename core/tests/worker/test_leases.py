"""Leases: workers extend them while jobs run, rescue jobs with expired ones, and may lose their own."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from tallystick import (
    LEASE_EXPIRED,
    CalledFromInside,
    Claim,
    Complete,
    Context,
    Discard,
    Filter,
    Hold,
    InvalidArgument,
    JobNotFound,
    NewRecord,
    Outcome,
    Record,
    Runner,
    State,
    Stop,
)
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually

PAST = datetime(2001, 1, 1, tzinfo=UTC)


def abandoned(runner: Runner, kind: str, **fields: Any) -> Record:
    """Leave a running job behind, like a worker that was killed long ago."""
    runner.backend.insert([NewRecord(kind=kind, payload=b"null", **fields)], now=PAST)
    [record] = runner.backend.claim(["default"], limit=1, worker="dead", lease=SECOND, now=PAST)
    return record


def test_extended(make_runner: MakeRunner) -> None:
    """A busy handler, sync or async, does not keep its job's lease from being extended."""
    runner = make_runner(lease=SHORT_LEASE)

    @runner.job("sync")
    def sync(payload: None, ctx: Context) -> int:
        return outlive(ctx)

    @runner.job("async")
    async def coroutine(payload: None, ctx: Context) -> int:
        return outlive(ctx)  # blocks the loop on purpose

    def outlive(ctx: Context) -> int:
        assert ctx.record.lease_until is not None
        first = ctx.record.lease_until
        eventually(lambda: datetime.now(UTC) > first)
        assert (runner.get(ctx.id).lease_until or first) > first
        assert not runner.backend.rescue(limit=10)
        return ctx.attempt

    runner.start()
    for handle in [runner.enqueue(job.job(None)) for job in (sync, coroutine)]:
        assert runner.result(handle, timeout=LONG) == 1


def test_rescued(runner: Runner) -> None:
    """The job of a dead worker is rescued and worked again; the lost attempt counts."""

    @runner.job("work")
    def work(payload: None, ctx: Context) -> int:
        return ctx.attempt

    record = abandoned(runner, "work")
    runner.start()
    assert runner.result(record.id, timeout=LONG) == 2
    assert runner.get(record.id).last_error == LEASE_EXPIRED


def test_discarded_by_rescue(runner: Runner) -> None:
    """A job that killed its worker at its last attempt is discarded, so it cannot kill another."""

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    record = abandoned(runner, "work", max_attempts=1)
    runner.start()
    eventually(lambda: runner.get(record.id).state is State.DISCARDED)


def test_end_by_rescue_is_reported(runner: Runner) -> None:
    """A job that a rescue discards is counted, and `on_discarded` is called with its record."""
    discarded: list[tuple[Record, Outcome]] = []
    runner.on_discarded(lambda record, outcome: discarded.append((record, outcome)))

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    dead = abandoned(runner, "work", max_attempts=1)
    cancelled = abandoned(runner, "work")
    runner.cancel(cancelled.id)
    retried = abandoned(runner, "work")
    runner.start()
    runner.result(retried.id, timeout=LONG)
    eventually(lambda: runner.snapshot().completed)
    assert runner.snapshot()[6:12] == (1, 1, 0, 1, 0, 3)
    [(record, outcome)] = discarded
    assert outcome == Discard(dead.claim, LEASE_EXPIRED)
    assert record == runner.get(dead.id)._replace(errors=())  # only `get` returns them


def test_callback_after_a_rescue_is_inside(runner: Runner) -> None:
    """In a callback for a rescued job, its runner is the current one, and stopping it raises."""
    seen: list[object] = []

    @runner.on_discarded
    def stop(record: Record, outcome: Outcome) -> None:
        seen.append(Runner.current())
        with pytest.raises(CalledFromInside):
            runner.stop()
        seen.append("refused")

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    abandoned(runner, "work", max_attempts=1)
    runner.start()
    eventually(lambda: len(seen) == 2)
    assert seen == [runner, "refused"]


class Losing(MemoryBackend):
    """A store whose every extension reports the claim as lost, as after a rescue."""

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Report all as lost."""
        return [Hold.LOST for _ in claims]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_lost(make_runner: MakeRunner, asynchronous: bool) -> None:
    """A handler learns of its lost claim: an async one is cancelled, a sync one sees `should_stop`."""
    runner = make_runner(Losing(), lease=SHORT_LEASE)
    reasons: list[Stop | None] = []

    def sync(payload: None, ctx: Context) -> None:
        eventually(lambda: ctx.should_stop)
        reasons.append(ctx.stop)

    async def coroutine(payload: None, ctx: Context) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(ctx.stop)

    block = runner.job("block")(coroutine if asynchronous else sync)
    runner.enqueue(block.job(None))
    runner.start()
    eventually(lambda: reasons)
    assert reasons[0] is Stop.LOST
    runner.stop(grace=AT_ONCE)


def test_lost_outcome(runner: Runner) -> None:
    """The outcome of a lost claim is rejected and counted, and does not change the job."""
    begun, release = Event(), Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> str:
        begun.set()
        release.wait()
        return "too late"

    handle = runner.enqueue(block.job(None))
    runner.start()
    assert begun.wait(LONG.total_seconds())
    runner.backend.rescue(limit=1, now=datetime.now(UTC) + timedelta(days=1))
    runner.backend.pause("default")
    release.set()
    eventually(lambda: runner.snapshot().lost == 1)
    record = runner.get(handle)
    assert (record.state, record.result) == (State.RETRYING, None)
    assert runner.snapshot().completed == 0


class CountingLosing(MemoryBackend):
    """A store that reports the claims of jobs that have begun as lost, counts these, and claims for an hour."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: set[UUID] = set()
        self.lost: list[Claim] = []

    def claim(self, queues: Sequence[str], **kwargs: Any) -> Sequence[Record]:
        """Claim for an hour, so that no rescue interferes."""
        return super().claim(queues, **{**kwargs, "lease": timedelta(hours=1)})

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Report a loss only after its handler has begun: an earlier one ends with a release, and a second attempt."""
        holds = [Hold.LOST if claim.id in self.begun else Hold.HELD for claim in claims]
        self.lost += [claim for claim, hold in zip(claims, holds, strict=True) if hold is Hold.LOST]
        return holds


def test_lost_claim_is_reported_once(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """A lost claim is counted and logged once, and not extended again, even if its handler never returns."""
    backend = CountingLosing()
    runner = make_runner(backend, lease=SHORT_LEASE, maintenance=SECOND / 50)
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        backend.begun.add(ctx.id)
        release.wait()

    [first, second] = [runner.enqueue(block.job(None)) for _ in range(2)]
    runner.start()
    eventually(lambda: runner.snapshot().lost == 2)
    assert runner.snapshot().working == 2
    third = runner.enqueue(block.job(None))
    eventually(lambda: runner.snapshot().lost == 3)
    release.set()
    eventually(lambda: runner.snapshot().unsettled + runner.snapshot().working == 0)
    assert sorted(backend.lost) == sorted(Claim(handle.id, 1) for handle in (first, second, third))
    assert runner.snapshot().lost == 3
    assert sum("its claim was lost" in log.message for log in caplog.records) == 3


class Picky(MemoryBackend):
    """A store that cannot extend the claims of one job, nor a batch that contains it."""

    rejected: UUID | None = None

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Fail for that job."""
        if any(claim.id == self.rejected for claim in claims):
            raise OverflowError("too large")
        return super().extend(claims, **kwargs)


def test_one_claim_that_cannot_be_extended(make_runner: MakeRunner) -> None:
    """A claim that the store cannot extend does not cost other jobs their leases."""
    backend = Picky()
    runner = make_runner(backend, lease=SHORT_LEASE)
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(None) for _ in range(4)])
    backend.rejected = handles[1].id
    runner.start()
    eventually(lambda: runner.snapshot().working == 4)
    until = {handle.id: runner.get(handle).lease_until or PAST for handle in handles}
    others = [handle for handle in handles if handle.id != backend.rejected]
    eventually(lambda: all((runner.get(handle).lease_until or PAST) > until[handle.id] for handle in others))
    release.set()


class Generous(MemoryBackend):
    """A store that returns three jobs more than the limit, so that the worker claims ahead."""

    def claim(self, queues: Sequence[str], *, limit: int, **kwargs: Any) -> Sequence[Record]:
        """Claim three more."""
        return super().claim(queues, limit=limit + 3, **kwargs)


def test_claimed_ahead(make_runner: MakeRunner) -> None:
    """A job claimed ahead that does not start within a sixth of its lease is released without using up an attempt."""
    runner = make_runner(Generous(), concurrency=1, lease=SHORT_LEASE)
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(None) for _ in range(4)])
    runner.start()
    eventually(lambda: runner.snapshot().released >= 3)
    assert runner.get(handles[0]).state is State.RUNNING
    for handle in handles[1:]:
        record = runner.get(handle)
        assert record.max_attempts - record.attempt + (record.state is State.RUNNING) == 20
        assert record.last_error is None
    release.set()
    for handle in handles:
        runner.result(handle.id, timeout=LONG)


def test_claimed_ahead_at_a_stop(make_runner: MakeRunner) -> None:
    """A stop first releases the jobs that were claimed ahead, without using up an attempt."""
    runner = make_runner(Generous(), concurrency=1)
    release = Event()

    @runner.job("block")
    def block(payload: None, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(None) for _ in range(4)])
    runner.start()
    eventually(lambda: runner.snapshot().waiting == 3)
    assert runner.snapshot().working == 1
    release.set()
    runner.stop()
    states = [runner.get(handle).state for handle in handles]
    assert set(states) <= {State.COMPLETED, State.PENDING}
    assert states[0] is State.COMPLETED


def finished(runner: Runner, kind: str) -> Record:
    """Leave the record of a job that completed long ago."""
    record = abandoned(runner, kind)
    runner.backend.settle([Complete(record.claim)], now=PAST)
    return record


def test_retention(make_runner: MakeRunner) -> None:
    """Records are purged after the retention of their state, and kept forever if it is None."""
    runner = make_runner(keep_completed=None, keep_cancelled=timedelta(days=1))

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    kept = finished(runner, "work")
    [cancelled] = runner.backend.insert([NewRecord(kind="work")], now=PAST)
    runner.backend.cancel(Filter(ids=[cancelled.record.id]), limit=1, now=PAST)
    recent = runner.enqueue(work.job(None))
    runner.cancel(recent)
    runner.start()

    def purged() -> bool:
        try:
            runner.get(cancelled.record.id)
        except JobNotFound:
            return True
        return False

    eventually(purged)
    assert runner.get(kept.id).state is State.COMPLETED
    assert runner.get(recent).state is State.CANCELLED


def test_retention_of_a_kind(make_runner: MakeRunner) -> None:
    """A kind's own retention replaces the setting, in both directions, and the other kinds follow the setting."""
    runner = make_runner(keep_completed=timedelta(days=1), maintenance=SECOND / 50)
    kinds = {"short": timedelta(0), "long": timedelta.max, "longer": timedelta(days=36_500), "default": None}
    for kind, keep in kinds.items():

        @runner.job(kind, keep_completed=keep)
        def work(payload: None, ctx: Context) -> None: ...

    records = {kind: finished(runner, kind) for kind in kinds}
    [recent] = runner.backend.insert([NewRecord(kind="short", payload=b"null")])
    runner.start()
    eventually(lambda: runner.snapshot().completed == 1)
    left = {kind: records[kind].id for kind in ("long", "longer")}
    eventually(lambda: not runner.backend.get([records["short"].id, records["default"].id, recent.record.id]))
    assert runner.backend.get(list(left.values())).keys() == set(left.values())


@pytest.mark.parametrize(
    ("keep", "text"), [(timedelta(-1), "keep_discarded is .*; it must be a timedelta"), (5, "timedelta")]
)
def test_invalid_retention_of_a_kind(runner: Runner, keep: Any, text: str) -> None:
    """A retention that is negative or no timedelta is rejected at the definition."""
    with pytest.raises(InvalidArgument, match=text):
        runner.job("work", keep_discarded=keep)


class Purging(MemoryBackend):
    """Notes the bounds of each purge of completed jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds: list[tuple[datetime | None, datetime]] = []

    def purge(self, states: Sequence[State], **kwargs: Any) -> int:
        """Note the bounds."""
        if states == [State.COMPLETED]:
            self.bounds.append((kwargs["since"], kwargs["before"]))
        return super().purge(states, **kwargs)


def test_a_purge_continues_where_the_last_one_ended(make_runner: MakeRunner) -> None:
    """The first purge reads all old records. The next ones begin shortly before the end of the last one."""
    backend = Purging()
    runner = make_runner(backend, maintenance=SECOND / 50)

    @runner.job("work")
    def work(payload: None, ctx: Context) -> None: ...

    runner.start()
    eventually(lambda: len(backend.bounds) >= 2)
    runner.stop()
    [(first, end), (second, _), *_] = backend.bounds
    assert (first, second) == (None, end - timedelta(hours=1))
