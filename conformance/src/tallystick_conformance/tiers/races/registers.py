"""Races about updates, schedules, workers and meters."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from tallystick import Advance, Backend, Changes, Filter, MeterDelta, NewRecord, Record, State, WorkerInfo

from ...contract.registers import id_of
from ...examples.beat import beat
from ...examples.meter import MINUTE, START, delta
from ...examples.tick import schedule
from ...harness.case import LEASE, NOW, Case, example
from .rounds import race_rounds

_CALLERS = 10
_TICKS = 3
_TRIES = 200
_WAITING = 60
_MOVED = 10
_ADDED = 5


@example("RACE-13")
def updates_race(case: Case) -> None:
    """One of four concurrent updates to the same values changes the job."""
    for round in race_rounds(case):
        id = case.raw.insert([NewRecord(kind="k")], now=NOW)[0].record.id
        change = [
            partial(c.update, Filter(ids=[id]), Changes(priority=5, queue="new"), limit=1, now=NOW)
            for c in round.clients
        ]
        answers = round.together(*change)
        case.equal([id], [id for ids in answers for id in ids])
        case.equal((5, "new"), (case.raw.get([id])[id].priority, case.raw.get([id])[id].queue))


@example("RACE-14")
def claim_races_with_updates(case: Case) -> None:
    """Of jobs that are claimed while some move to another queue, each is claimed as it was, or moved and waiting."""
    for round in race_rounds(case, 2):
        claimer, changer = round.clients
        new = [NewRecord(kind="k", priority=n) for n in range(min(_WAITING, case.capabilities.max_batch))]
        moved = [record.id for record in new[:_MOVED]]  # those that a claim takes last
        case.raw.insert(new, now=NOW)
        claimed, updated = round.together(partial(_claim, claimer), partial(_move, changer, moved))
        case.equal(sorted(record.id for record in new), sorted(claimed + updated))
        records = case.raw.get(claimed + updated)
        case.equal([], [id for id in claimed if _place(records[id]) != (State.RUNNING, "default")])
        case.equal([], [id for id in updated if _place(records[id]) != (State.PENDING, "new")])
        case.raw.delete(Filter(), limit=_WAITING)


def _claim(client: Backend) -> list[UUID]:
    return [record.id for record in client.claim(["default"], limit=_WAITING, worker="w", lease=LEASE, now=NOW)]


def _move(client: Backend, ids: Sequence[UUID]) -> list[UUID]:
    """Move jobs one by one."""
    moves = [client.update(Filter(ids=[id]), Changes(queue="new"), limit=1, now=NOW) for id in ids]
    return [id for moved in moves for id in moved]


def _place(record: Record) -> tuple[State, str]:
    return record.state, record.queue


@example("RACE-15")
def advances_race(case: Case) -> None:
    """Ten callers that advance one schedule fire each tick once, even if each job is deleted as soon as it exists."""
    for n, round in enumerate(race_rounds(case, _CALLERS)):
        name = f"s{n}"
        case.raw.put_schedules([schedule(name, after=START - _TICKS * MINUTE)], now=NOW)
        fired = round.together(*(partial(_fire, client, name) for client in round.clients))
        expected = dict.fromkeys((START - k * MINUTE for k in range(_TICKS)), 1)
        case.equal(expected, dict(Counter(tick for ticks in fired for tick, _ in ticks)))
        case.that(all(gone for ticks in fired for _, gone in ticks), "a job for each tick that fired", fired)
        case.equal(0, case.raw.count(Filter()))
        [left] = case.raw.schedules([name])
        case.equal((START + MINUTE, START, 1 + _TICKS), (left.next_tick, left.last_tick, left.revision))


def _fire(client: Backend, name: str) -> list[tuple[datetime, bool]]:
    """Fire due ticks like a worker, and delete the job of each. Return the ticks, and whether the job existed."""
    fired = []
    for _ in range(_TRIES):
        [one] = client.schedules([name])
        if one.next_tick is None or one.next_tick > NOW:
            break
        tick = one.next_tick
        advance = Advance(name=name, revision=one.revision, next_tick=tick + MINUTE, ticks=(tick,))
        if list(client.advance([advance], now=NOW)) == [True]:
            fired.append((tick, bool(client.delete(Filter(ids=[id_of(name, tick)]), limit=1))))
    return fired


@example("RACE-15")
def puts_race_with_advances(case: Case) -> None:
    """A put that races with an advance changes the schedule before or after it, and loses no tick."""
    for n, round in enumerate(race_rounds(case, 2)):
        firing, changing = round.clients
        name = f"s{n}"
        [one] = case.raw.put_schedules([schedule(name)], now=NOW)
        advance = Advance(name=name, revision=one.revision, next_tick=START + MINUTE, ticks=(START,))
        applied, _ = round.together(
            lambda: list[object](firing.advance([advance], now=NOW)),  # noqa: B023 - called within this round
            lambda: list[object](changing.put_schedules([schedule(name, kind="new")], now=NOW)),  # noqa: B023
        )
        fired = applied == [True]
        [left] = case.raw.schedules([name])
        jobs = case.raw.get([id_of(name, START)])
        case.equal(("new", 2 + fired, fired), (left.kind, left.revision, left.last_tick == START))
        case.equal(["k"] * fired, [job.kind for job in jobs.values()])


@example("RACE-16")
def removals_race(case: Case) -> None:
    """One of four concurrent removals of a schedule removes it."""
    for round in race_rounds(case):
        case.raw.put_schedules([schedule("a"), schedule("b")], now=NOW)
        orders: tuple[Sequence[str], ...] = (["a", "b"], ["b", "a"])
        removed = round.together(*(partial(c.remove_schedules, orders[n % 2]) for n, c in enumerate(round.clients)))
        case.equal(["a", "b"], sorted(name for names in removed for name in names))


@example("RACE-17")
def beats_race(case: Case) -> None:
    """Of four concurrent beats of one worker, one stays whole."""
    for round in race_rounds(case):
        beats = [beat(pid=n, version=f"{n}", queues=(f"{n}",)) for n in range(len(round.clients))]
        ttls = [timedelta(seconds=n + 1) for n in range(len(round.clients))]
        round.together(
            *(partial(c.beat, b, ttl=t, now=NOW) for c, b, t in zip(round.clients, beats, ttls, strict=True))
        )
        listed = list(case.raw.workers())
        allowed = [_as_listed(n) for n in range(len(round.clients))]
        case.that([_seen(info) for info in listed] in [[one] for one in allowed], f"one of {allowed}", listed)


def _as_listed(n: int) -> tuple[object, ...]:
    return ("w", n, f"{n}", (f"{n}",), timedelta(seconds=n + 1))


def _seen(info: WorkerInfo) -> tuple[object, ...]:
    return (info.worker, info.pid, info.version, info.queues, info.ttl)


@example("RACE-18")
def meters_race(case: Case) -> None:
    """Numbers that four callers add to the same minutes, in opposite orders, all count."""
    for n, round in enumerate(race_rounds(case)):
        both = [delta(queue=f"q{n}", kind=kind, completed=1, running=MINUTE) for kind in ("a", "b")]
        orders: tuple[Sequence[MeterDelta], ...] = (both, both[::-1])
        round.together(*(partial(_add, client, orders[place % 2]) for place, client in enumerate(round.clients)))
        found = [m for m in case.raw.meters(START, START + MINUTE, step=MINUTE) if m.queue == f"q{n}"]
        total = _ADDED * len(round.clients)
        expected = [(kind, total, total * MINUTE) for kind in ("a", "b")]
        case.equal(expected, [(meter.kind, meter.completed, meter.running) for meter in found])


def _add(client: Backend, deltas: Sequence[MeterDelta]) -> None:
    for _ in range(_ADDED):
        client.meter(deltas, now=NOW)
