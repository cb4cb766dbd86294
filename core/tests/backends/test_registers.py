"""The effect of the calls about schedules, workers and meters, and the checks of their arguments."""

from datetime import timedelta
from typing import Any

import pytest
from tallystick import Advance, Beat, InvalidArgument, MeterDelta, NewSchedule, PayloadTooLarge, Schedule
from tallystick.backends import register_calls, registers
from tallystick.backends.registers import Numbers

from ..helpers import NOW, SECOND
from .small_stores import COARSE, DOWN, ODD, STORE

MINUTE = timedelta(minutes=1)
NEXT = NOW + MINUTE


def schedule(name: str = "a", **fields: Any) -> Schedule:
    """Return a stored schedule of every minute, whose next tick is now."""
    new = NewSchedule(name=name, rule="* * * * *", kind="k", after=NOW - SECOND)
    return new.stored(NOW - MINUTE)._replace(**fields)


def advanced(stored: Schedule | None, **fields: Any) -> Schedule | None:
    """Return a schedule after an advance by the tick of now, with some fields of it replaced."""
    advance = Advance(**{"name": "a", "revision": 1, "ticks": (NOW,), "next_tick": NEXT, **fields})
    return registers.advanced(stored, advance, register_calls.advance([advance], STORE, now=NOW))


def test_advance() -> None:
    """An advance that fires moves the schedule, and keeps `updated_at`."""
    assert advanced(schedule()) == schedule(next_tick=NEXT, last_tick=NOW, revision=2)


def test_pause() -> None:
    """An advance without ticks pauses and resumes a schedule, and sets `updated_at`."""
    paused = schedule(next_tick=NEXT, paused=True, revision=2, updated_at=NOW)
    assert advanced(schedule(), ticks=(), paused=True) == paused
    assert advanced(paused, ticks=(), revision=2) == paused._replace(paused=False, revision=3)


@pytest.mark.parametrize(
    ("stored", "fields"),
    [
        (None, {}),
        (schedule(revision=2), {}),
        (schedule(paused=True), {}),
        (schedule(last_tick=NOW), {}),
        (schedule(), {"ticks": (NOW + SECOND,)}),
    ],
)
def test_rejected_advance(stored: Schedule | None, fields: dict[str, Any]) -> None:
    """An advance is rejected if its revision is old, a tick is early or repeated, or the schedule is paused or gone."""
    assert advanced(stored, **fields) is None


def test_due_schedules() -> None:
    """The schedules that fire next come by their next tick, then name, without those that are paused or have ended."""
    all_of_them = [
        schedule("b"),
        schedule("a"),
        schedule("late", next_tick=NEXT),
        schedule("paused", paused=True),
        schedule("ended", next_tick=None),
    ]
    assert [one.name for one in registers.due(all_of_them, 9)] == ["a", "b", "late"]
    assert [one.name for one in registers.due(all_of_them, 1)] == ["a"]


def test_put_schedules_is_checked() -> None:
    """Two schedules of one name, and a payload that is too large, are rejected."""
    new = NewSchedule(name="a", rule="@daily", kind="k")
    with pytest.raises(InvalidArgument, match="names must differ"):
        register_calls.put_schedules([new, new], STORE)
    large = NewSchedule(name="a", rule="@daily", kind="k", payload=b"x" * (STORE.max_payload_bytes + 1))
    with pytest.raises(PayloadTooLarge):
        register_calls.put_schedules([large], STORE)


def test_times_of_another_store_are_rounded() -> None:
    """The last tick and the creation of a schedule that moves are rounded down, as the store keeps them."""
    new = NewSchedule(name="a", rule="@daily", kind="k", last_tick=ODD, created_at=ODD)
    [fine] = register_calls.put_schedules([new], STORE).schedules
    [coarse] = register_calls.put_schedules([new], COARSE).schedules
    assert (fine.last_tick, fine.created_at) == (ODD, ODD)
    assert (coarse.last_tick, coarse.created_at) == (DOWN, DOWN)


def beat(**fields: Any) -> Beat:
    """Return the beat of a worker."""
    return Beat(worker="w", host="h", pid=1, version="1", queues=("q",), concurrency=1, started_at=NOW, **fields)


def test_workers_are_kept_for_a_day() -> None:
    """A worker is listed until a day after the end of its ttl."""
    info = beat().info(NOW, SECOND)
    last = NOW + SECOND + timedelta(days=1)
    assert registers.is_kept(info, last)
    assert not registers.is_kept(info, last + timedelta(microseconds=1))


@pytest.mark.parametrize("ttl", [-SECOND, timedelta(days=1, microseconds=1), 5])
def test_wrong_ttl(ttl: Any) -> None:
    """A ttl is from zero to a day."""
    with pytest.raises(InvalidArgument, match="ttl"):
        register_calls.beat(beat(), STORE, ttl=ttl)


def delta(**fields: Any) -> MeterDelta:
    """Return the numbers of a minute."""
    return MeterDelta(**{"minute": NOW, "queue": "q", "kind": "k", **fields})


def test_old_and_future_minutes() -> None:
    """A minute of the last seven days is kept; one that is more than five minutes ahead is rejected."""
    week, moment = timedelta(days=7), NOW
    call = register_calls.meter([delta(minute=NOW - week), delta(minute=NOW - week - MINUTE)], STORE, now=moment)
    assert [one.minute for one in call.deltas] == [NOW - week]
    register_calls.meter([delta(minute=NOW + 5 * MINUTE)], STORE, now=moment)
    with pytest.raises(InvalidArgument, match="minute"):
        register_calls.meter([delta(minute=NOW + 6 * MINUTE)], STORE, now=moment)


def test_steps() -> None:
    """The numbers of the minutes of a step are added up, for each queue and kind."""
    call = register_calls.meters(NOW, NOW + 60 * MINUTE, step=5 * MINUTE)
    one = Numbers.of(delta(completed=1, waiting=SECOND))
    minutes = [(NOW + n * MINUTE, "q", "k", one) for n in range(6)] + [(NOW, "a", "k", one)]
    found = [(m.since, m.queue, m.completed, m.waiting) for m in registers.by_steps(minutes, call)]
    assert found == [(NOW, "a", 1, SECOND), (NOW, "q", 5, 5 * SECOND), (NOW + 5 * MINUTE, "q", 1, SECOND)]


@pytest.mark.parametrize(
    ("until", "step"),
    [(NOW - MINUTE, MINUTE), (NEXT, 90 * SECOND), (NEXT, timedelta(0)), (NOW + timedelta(days=8), MINUTE)],
)
def test_wrong_range(until: Any, step: timedelta) -> None:
    """A range begins before it ends, and has at most 10,080 steps of whole minutes."""
    with pytest.raises(InvalidArgument):
        register_calls.meters(NOW, until, step=step)
