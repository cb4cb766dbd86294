"""Backends that are unavailable, slow or have small limits while a worker claims and extends."""

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from tallystick import (
    Capabilities,
    Claim,
    Context,
    Hold,
    InvalidArgument,
    NewRecord,
    Outcome,
    Record,
    State,
    Unavailable,
)
from tallystick_memory import MemoryBackend

from ..helpers import LONG, SECOND, SHORT_LEASE, MakeRunner, eventually
from .anyhow import echo

PAST = datetime(2001, 1, 1, tzinfo=UTC)


class UnavailableOnce(MemoryBackend):
    """A store whose first `settle` fails."""

    failed = False

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Fail once."""
        if not self.failed:
            self.failed = True
            raise Unavailable("down")
        return super().settle(outcomes, **kwargs)


def test_unknown_kind_in_an_outage(make_runner: MakeRunner) -> None:
    """A job of an unknown kind is released even if the first try fails, before its lease expires."""
    runner = make_runner(UnavailableOnce())
    echo(runner)
    runner.backend.insert([record := NewRecord(kind="stranger", max_attempts=1)])
    runner.start()
    eventually(lambda: runner.get(record.id).state is State.PENDING and runner.get(record.id).attempt == 1)


class SmallBatches(MemoryBackend):
    """A store with a `max_batch` of two."""

    rejected = 0

    @property
    def capabilities(self) -> Capabilities:
        """Declare the limit."""
        whole = super().capabilities
        fields = {name: getattr(whole, name) for name in Capabilities.__dataclass_fields__}
        return Capabilities(**{**fields, "max_batch": 2})

    def extend(self, claims: Sequence[Claim], **kwargs: Any) -> Sequence[Hold]:
        """Reject more than two."""
        self._check(claims)
        return super().extend(claims, **kwargs)

    def settle(self, outcomes: Sequence[Outcome], **kwargs: Any) -> Sequence[bool]:
        """Reject more than two."""
        self._check(outcomes)
        return super().settle(outcomes, **kwargs)

    def _check(self, items: Sequence[object]) -> None:
        if len(items) > 2:
            self.rejected += 1
            raise InvalidArgument("at most two")


def test_small_batches(make_runner: MakeRunner, release: Event) -> None:
    """A worker keeps its calls within the store's `max_batch`, so that it can extend its leases."""
    backend = SmallBatches()
    runner = make_runner(backend, concurrency=4, lease=SHORT_LEASE)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(n) for n in range(2)]) + runner.enqueue_batch(
        [block.job(9), block.job(9)]
    )
    runner.start()
    eventually(lambda: runner.snapshot().working == 4)
    until = [runner.get(handle).lease_until for handle in handles]
    eventually(
        lambda: all((runner.get(h).lease_until or PAST) > (u or PAST) for h, u in zip(handles, until, strict=True))
    )
    assert not backend.rejected


class Generous(MemoryBackend):
    """A store that once returns many more jobs than the limit, so that the worker claims ahead."""

    claimed = False

    def claim(self, queues: Sequence[str], *, limit: int, **kwargs: Any) -> Sequence[Record]:
        """Claim 400 more, once."""
        records = super().claim(queues, limit=limit + (0 if self.claimed else 400), **kwargs)
        self.claimed |= bool(records)
        return records


def test_released_jobs_are_not_claimed_again(make_runner: MakeRunner, release: Event) -> None:
    """A worker does not claim released jobs again while all its handlers are busy."""
    runner = make_runner(Generous(), concurrency=1, lease=SHORT_LEASE)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(n) for n in range(401)])
    runner.start()
    eventually(lambda: runner.snapshot().released >= 400)
    busy = runner.get(handles[0])
    eventually(lambda: runner.get(handles[0]).lease_until != busy.lease_until)
    assert max(runner.get(handle).attempt for handle in handles) == 1


def test_correct_wake_ups_are_followed_at_once(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker follows a correct wake-up at once; it pauses only after a spurious one."""
    monkeypatch.setattr("tallystick.worker.fetcher._SHORTEST_IDLE", 2 * LONG.total_seconds())
    runner = make_runner(poll=2 * LONG)
    job = echo(runner)
    runner.start()
    assert [runner.result(runner.enqueue(job.job(n)), timeout=LONG) for n in range(3)] == [0, 1, 2]


def test_sync_and_async_slots(make_runner: MakeRunner, release: Event) -> None:
    """Sync and async handlers have separate slots, `concurrency` of each."""
    runner = make_runner(concurrency=1)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.enqueue(block.job(1))
    runner.start()
    eventually(lambda: runner.snapshot().working == 1)
    assert runner.result(runner.enqueue(echo.job(7)), timeout=SECOND) == 7
