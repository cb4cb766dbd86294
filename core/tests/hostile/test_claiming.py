"""Backends that are down, slow or smaller than usual while a worker claims and extends."""

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
    """A store that is not available for its first settling."""

    failed = False

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Fail once."""
        if not self.failed:
            self.failed = True
            raise Unavailable("down")
        return super().settle(outcomes, **given)


def test_unknown_kind_in_an_outage(make_runner: MakeRunner) -> None:
    """A job of an unknown kind is put back also where the store fails at that; it is not left to its lease."""
    runner = make_runner(UnavailableOnce())
    echo(runner)
    runner.backend.insert([record := NewRecord(kind="stranger", max_attempts=1)])
    runner.start()
    eventually(lambda: runner.get(record.id).state is State.PENDING and runner.get(record.id).attempt == 1)


class SmallBatches(MemoryBackend):
    """A store that takes two items of a call, as its capabilities say."""

    refused = 0

    @property
    def capabilities(self) -> Capabilities:
        """Say so."""
        whole = super().capabilities
        fields = {name: getattr(whole, name) for name in Capabilities.__dataclass_fields__}
        return Capabilities(**{**fields, "max_batch": 2})

    def extend(self, claims: Sequence[Claim], **given: Any) -> Sequence[Hold]:
        """Refuse more than two."""
        self._check(claims)
        return super().extend(claims, **given)

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Refuse more than two."""
        self._check(outcomes)
        return super().settle(outcomes, **given)

    def _check(self, items: Sequence[object]) -> None:
        if len(items) > 2:
            self.refused += 1
            raise InvalidArgument("at most two")


def test_small_batches(make_runner: MakeRunner, release: Event) -> None:
    """A worker asks no more of a store at once than its `max_batch`; else it could extend no lease."""
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
    assert not backend.refused


class Generous(MemoryBackend):
    """A store that hands out many more jobs than there is room for, once, as claiming ahead does."""

    given_out = False

    def claim(self, queues: Sequence[str], *, limit: int, **given: Any) -> Sequence[Record]:
        """Add to the limit, once."""
        records = super().claim(queues, limit=limit + (0 if self.given_out else 400), **given)
        self.given_out |= bool(records)
        return records


def test_given_back_for_good(make_runner: MakeRunner, release: Event) -> None:
    """Jobs given back since all handlers are busy are not claimed again while they are: giving back is no work done."""
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


def test_right_hints_are_followed_at_once(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint is paused for once it was wrong, not before: the pause is no part of how long a job is on its way."""
    monkeypatch.setattr("tallystick.worker.fetcher._SHORTEST_IDLE", 2 * LONG.total_seconds())
    runner = make_runner(poll=2 * LONG)
    job = echo(runner)
    runner.start()
    assert [runner.result(runner.enqueue(job.job(n)), timeout=LONG) for n in range(3)] == [0, 1, 2]


def test_sync_beside_async(make_runner: MakeRunner, release: Event) -> None:
    """As the setting says, as many sync handlers as async ones work at once; neither takes the place of the other."""
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
