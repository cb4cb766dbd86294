"""Batches with options for each job, and the repeat of a batch after an unknown outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from tallystick import Call, Context, Definition, Enqueue, Inserted, InvalidArgument, NewRecord, OutcomeUnknown, Runner
from tallystick.runner.enqueueing import EnqueueOptions
from tallystick_memory import MemoryBackend

from ..helpers import NOW, SECOND, MakeRunner


class Losing(MemoryBackend):
    """A store that loses the response of its first insert, although it stores the jobs."""

    lost = False

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        """Insert, and lose the first response."""
        results = super().insert(records, **options)
        if not self.lost:
            self.lost = True
            raise OutcomeUnknown("the connection was lost")
        return results


def register(runner: Runner) -> Definition[int, int]:
    """Register a function as a job."""

    @runner.job("echo", priority=1, tags=("kind",))
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


def test_options_of_one_job(runner: Runner) -> None:
    """An item's options override the batch's, which override the kind's."""
    echo = register(runner)
    item = Enqueue(echo.job(2), run_at=NOW, queue="own", priority=7, tags=("own",), unique_key="two", max_attempts=3)
    plain, own = runner.enqueue_batch([Enqueue(echo.job(1)), item], queue="batch", run_at=NOW + SECOND)
    assert (plain.record.queue, plain.record.priority, plain.record.tags) == ("batch", 1, ("kind",))
    assert plain.record.run_at == NOW + SECOND
    record = own.record
    assert (record.id, record.queue, record.priority, record.tags) == (item.id, "own", 7, ("own",))
    assert (record.run_at, record.unique_key, record.max_attempts) == (NOW, "two", 3)


def test_same_options_everywhere() -> None:
    """An item of a batch has every option of `enqueue` but the transaction, which belongs to the whole batch."""
    own = {option.name for option in fields(Enqueue)} - {"job", "run_at"}
    assert own == set(EnqueueOptions.__annotations__) - {"transaction"}


def test_repeated_items(make_runner: MakeRunner) -> None:
    """After OutcomeUnknown, repeating a batch with the same items stores no job twice."""
    runner = make_runner(Losing())
    echo = register(runner)
    items = [Enqueue(echo.job(n)) for n in range(3)]
    with pytest.raises(OutcomeUnknown) as caught:
        runner.enqueue_batch(items)
    assert caught.value.ids == tuple(item.id for item in items)
    handles = runner.enqueue_batch(items)
    assert [handle.id for handle in handles] == [item.id for item in items]
    assert runner.backend.stats().total == 3


def test_ids_of_a_lost_response(make_runner: MakeRunner) -> None:
    """OutcomeUnknown carries the job's id, so that the enqueue can be repeated."""
    runner = make_runner(Losing())
    echo = register(runner)
    with pytest.raises(OutcomeUnknown) as caught:
        runner.enqueue(echo.job(1))
    [id] = caught.value.ids
    assert runner.enqueue(echo.job(1), id=id).duplicate
    assert runner.backend.stats().total == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("id", "one"),
        ("run_at", 3),
        ("run_at", -SECOND),
        ("priority", "high"),
        ("tags", "urgent"),
        ("unique_until", "x"),
    ],
)
def test_bad_option_of_one_job(runner: Runner, option: str, value: object) -> None:
    """An item with an invalid option fails the whole batch, and the error names the option."""
    echo = register(runner)
    wrong: dict[str, Any] = {option: value}
    with pytest.raises(InvalidArgument, match=f"{option} is"):
        runner.enqueue_batch([Enqueue(echo.job(1)), Enqueue(echo.job(2), **wrong)])
    assert runner.backend.stats().total == 0


def test_items_for_async_callers(runner: Runner) -> None:
    """`aenqueue_batch` takes items too."""
    echo = register(runner)
    [handle] = asyncio.run(runner.aenqueue_batch([Enqueue(echo.job(1), run_at=timedelta(hours=1))]))
    assert handle.record.run_at > handle.record.created_at


def test_jobs_of_a_batch_share_only_their_options(runner: Runner) -> None:
    """Jobs of several kinds in one batch keep their payloads, ids, keys and the options of their kind."""
    echo = register(runner)

    @runner.job("unique", queue="slow", unique_by="payload")
    def unique(payload: int, ctx: Context) -> None:
        """Do nothing."""

    items: list[Call[Any] | Enqueue[Any]] = [
        echo.job(1),
        unique.job(2),
        Enqueue(echo.job(3), priority=9),
        echo.job(4),
        unique.job(5),
        unique.job(2),
    ]
    handles = runner.enqueue_batch(items, max_attempts=3)
    records = [handle.record for handle in handles]
    assert [record.payload for record in records] == [b"1", b"2", b"3", b"4", b"5", b"2"]
    assert [record.priority for record in records] == [1, 0, 9, 1, 0, 0]
    assert [record.queue for record in records] == ["default", "slow", "default", "default", "slow", "slow"]
    assert [handle.duplicate for handle in handles] == [False, False, False, False, False, True]
    assert len({record.id for record in records}) == 5
    assert len({record.unique_key for record in records}) == 3
