"""Calls about schedules, workers and meters in generated programs: make them on both sides, and compare the results."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import assert_never

from tallystick import Advance, Beat, Claim, MeterDelta, NewSchedule, Running, Schedule

from ...contract.registers import Registers, is_same
from ...contract.typed import flaws
from .differential import Pair
from .strategies import IDS, KINDS, QUEUES, Chore

_NAMES = ("night", "Night")
_RULES = ("every 10 seconds", "every 1 minute", "0 3 * * *")
_TTLS = (timedelta(seconds=30), timedelta(0), timedelta(days=1), timedelta(seconds=1))
_MINUTE, _SECOND = timedelta(minutes=1), timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MANY = 1_000
_STEPS = 10_000


class Chores:
    """The registers of a backend and their model. Each method makes a call on both, and compares them."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._judge = pair.judge
        self.model = Registers(pair.model)

    def do(self, chore: Chore, now: datetime) -> None:
        """Make the call of a chore, and compare every register."""
        name = _NAMES[chore.slot % len(_NAMES)]
        match chore.on:
            case "put":
                for _ in range(2 if chore.lag else 1):
                    self.put([_schedule(name, chore, now)], now)
            case "advance":
                if not self.model.schedules:
                    self.put([_schedule(name, chore, now)], now)
                name = name if name in self.model.schedules else next(iter(self.model.schedules))
                self.advance(self._advances(name, chore, now), now)
            case "remove":
                self.remove([name, "unknown"])
            case "beat":
                self.beat(_beat(chore, now), _TTLS[chore.variant % len(_TTLS)], now)
            case "meter":
                self.meter(_deltas(chore, now), now)
            case _:
                assert_never(chore.on)

    def put(self, schedules: Sequence[NewSchedule], now: datetime) -> None:
        """Put schedules."""
        got = self._pair.answer(lambda: self._pair.backend.put_schedules(schedules, now=now))
        self._judge.that("TICK-01", len(got) == len(schedules), f"{len(schedules)} results", got)
        for new, answer in zip(schedules, got, strict=True):
            old = self.model.schedules.get(new.name)
            created = "TICK-01" if new.created_at is None else "TICK-12"
            clause = created if old is None else "TICK-02" if is_same(new, old) else "TICK-03"
            self._judge.that("CALL-02", not flaws(answer), "fields of their declared types", flaws(answer))
            self._judge.equal(clause, self.model.put(new, now), answer)
            self._compare_schedules(clause)

    def advance(self, advances: Sequence[Advance], now: datetime) -> None:
        """Advance schedules."""
        got = self._pair.answer(lambda: self._pair.backend.advance(advances, now=now))
        self._judge.that("TICK-09", len(got) == len(advances), f"{len(advances)} results", got)
        clause = "TICK-07"
        for advance, answer in zip(advances, got, strict=True):
            applies = self.model.applies(advance, now)
            self._judge.that("TICK-08" if applies else "TICK-07", answer is applies, f"{applies} for {advance}", answer)
            if applies:
                clause = "TICK-08"
                self._pair.has_new(self.model.advance(advance, now), "TICK-06")
        stored = {record.id for record in self._pair.every()}
        expected = set(self._pair.model.records)
        jobs = "TICK-06" if clause == "TICK-08" else clause
        self._judge.that(jobs, stored == expected, f"the jobs {sorted(expected)}", sorted(stored))
        self._compare_schedules(clause)

    def remove(self, names: Sequence[str]) -> None:
        """Remove schedules."""
        got = self._pair.answer(lambda: self._pair.backend.remove_schedules(names))
        self._judge.equal("TICK-10", self.model.remove(names), list(got))
        self._compare_schedules("TICK-10")

    def beat(self, beat: Beat, ttl: timedelta, now: datetime) -> None:
        """Beat."""
        self._pair.answer(lambda: self._pair.backend.beat(beat, ttl=ttl, now=now))
        gone = set(self.model.workers) | {beat.worker}
        self.model.beat(beat, ttl, now)
        gone -= self.model.workers.keys()
        listed = list(self._pair.raw.workers())
        names = [worker.worker for worker in listed]
        if not ttl:
            self._judge.that("BEAT-02", beat.worker not in names, f"no worker {beat.worker!r}", names)
        self._judge.that("BEAT-03", not gone & set(names), f"none of {sorted(gone)}", names)
        kept = self.model.workers.keys() - {beat.worker}
        self._judge.that("BEAT-03", kept <= set(names), f"also {sorted(kept)}", names)
        self.compare_workers()

    def meter(self, deltas: Sequence[MeterDelta], now: datetime) -> None:
        """Add to meters."""
        self._pair.answer(lambda: self._pair.backend.meter(deltas, now=now))
        for delta in deltas:
            self.model.meter(delta, now)
        before, minutes = set(self.model.meters), set()
        self.model.forget(now)
        old = {key[0] for key in before - self.model.meters.keys()}
        old |= {delta.minute for delta in deltas} - {key[0] for key in self.model.meters}
        if old:
            found = self._pair.raw.meters(min(old), max(old) + _MINUTE, step=self._step(min(old), max(old)))
            minutes = {meter.since for meter in found if len(old) == 1}
        self._judge.that("METER-02", not minutes, "no meters of the minutes that are too old", minutes)
        self.compare_meters()

    def sweep(self) -> None:
        """Compare every register with the model, as after a call about jobs."""
        if self.model.schedules:
            self._judge.equal("TICK-04", self.model.named(None), list(self._pair.raw.schedules()))
        if self.model.workers:
            self.compare_workers()
        if self.model.meters:
            self.compare_meters()

    def compare_workers(self) -> None:
        """Compare the workers."""
        found = list(self._pair.raw.workers())
        wrong = [flaw for worker in found for flaw in flaws(worker)]
        self._judge.that("CALL-02", not wrong, "fields of their declared types", wrong)
        self._judge.equal("BEAT-01", self.model.listed(), found)

    def compare_meters(self) -> None:
        """Compare the meters of the whole time."""
        if not self.model.meters:
            return
        minutes = [key[0] for key in self.model.meters]
        since, until = min(minutes), max(minutes) + _MINUTE
        step = self._step(since, until)
        found = list(self._pair.raw.meters(since, until, step=step))
        wrong = [flaw for meter in found for flaw in flaws(meter)]
        self._judge.that("CALL-02", not wrong, "fields of their declared types", wrong)
        self._judge.equal("METER-01", self.model.sums(since, until, step), found)

    def _step(self, since: datetime, until: datetime) -> timedelta:
        return max(1, ceil((until - since) / _STEPS / _MINUTE)) * _MINUTE

    def _compare_schedules(self, clause: str) -> None:
        raw, model = self._pair.raw, self.model
        found = list(raw.schedules())
        created = clause in ("TICK-01", "TICK-12")
        self._judge.equal("TICK-04" if created else clause, sorted(model.schedules), [s.name for s in found])
        self._judge.equal(clause, model.named(None), found)
        self._judge.equal("TICK-04", model.named(_NAMES[:1]), list(raw.schedules(_NAMES[:1])))
        for limit in (1, _MANY):
            expected = [schedule.name for schedule in model.due()[:limit]]
            self._judge.equal("TICK-05", expected, [schedule.name for schedule in raw.due_schedules(limit=limit)])

    def _advances(self, name: str, chore: Chore, now: datetime) -> list[Advance]:
        """Return an advance that applies, or one that is wrong in one way; sometimes the same one twice."""
        schedule = self.model.schedules.get(name)
        revision = 1 if schedule is None else max(1, schedule.revision + chore.lag)
        end = _last_tick(schedule, chore, now)
        ticks = tuple(end - n * _SECOND for n in reversed(range(chore.ticks)))
        following = None if chore.variant == 5 else end + (1 + chore.variant % 3) * _SECOND
        advance = Advance(name=name, revision=revision, next_tick=following, ticks=ticks, paused=chore.variant == 4)
        return [advance] * (2 if chore.variant == 3 else 1)


def _last_tick(schedule: Schedule | None, chore: Chore, now: datetime) -> datetime:
    if chore.variant == 7:
        return _whole_second(now) + 60 * _SECOND
    if chore.variant == 6 and schedule is not None and schedule.last_tick is not None:
        return schedule.last_tick
    return _whole_second(now)


def _whole_second(now: datetime) -> datetime:
    return now - (now - _EPOCH) % _SECOND


def _schedule(name: str, chore: Chore, now: datetime) -> NewSchedule:
    """Return a schedule; for some chores, one that comes from another store."""
    is_moved = chore.variant == 2
    return NewSchedule(
        name=name,
        rule=_RULES[chore.variant % 3],
        kind=KINDS[chore.ticks % 2],
        queue=QUEUES[chore.variant % 3],
        unique_key="k" if chore.variant == 5 else None,
        declared="same" if chore.variant >= 6 else None,
        tags=("red",) if chore.lag else (),
        after=now,
        last_tick=_whole_second(now) if is_moved else None,
        paused=is_moved and chore.ticks == 3,
        created_at=now - _MINUTE if is_moved else None,
    )


def _beat(chore: Chore, now: datetime) -> Beat:
    running = (Running(Claim(IDS[chore.slot], 1), KINDS[0], now),) * (chore.ticks % 2)
    return Beat(
        worker=f"w{chore.slot}",
        host="host",
        pid=chore.variant,
        version="1",
        queues=QUEUES[: chore.ticks],
        concurrency=1 + chore.ticks,
        started_at=now,
        running=running,
        busy=chore.ticks,
        draining=chore.variant == 3,
    )


def _deltas(chore: Chore, now: datetime) -> list[MeterDelta]:
    """Return numbers of this minute, of an earlier one, and sometimes of one that is too old."""
    whole = now - (now - _EPOCH) % _MINUTE
    back = (0, 1, 60, 7 * 24 * 60, 7 * 24 * 60 + 1)[chore.variant % 5]
    queue, kind = QUEUES[chore.slot], KINDS[chore.ticks % 2]
    return [
        MeterDelta(minute=whole, queue=queue, kind=kind, completed=1, waiting=_SECOND),
        MeterDelta(minute=whole - back * _MINUTE, queue=queue, kind=kind, retried=2, running=_MINUTE),
    ]
