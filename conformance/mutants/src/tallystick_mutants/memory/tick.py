"""Bugs in schedules."""

from collections.abc import Collection, Sequence

from tallystick import Advance, Schedule
from tallystick.backends import register_calls, registers
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class AdvancesInTwoSteps(MemoryBackend):
    """One step checks the revision, and another inserts the jobs and moves the schedule."""

    def advance(self, advances: Sequence[Advance], *, now: Now = None) -> Sequence[bool]:
        call = register_calls.advance(advances, self.capabilities, now=now)
        applied = []
        for advance in call.advances:
            with self._locked() as store:
                moved = registers.advanced(store.schedules.get(advance.name), advance, call)
            applied.append(moved is not None)
            if moved is not None:
                with self._locked() as store:
                    store.schedules[advance.name] = moved
                    for tick in advance.ticks:
                        self._insert(store, moved.job(tick).stored(call.now))
        return applied


class RemovesInTwoSteps(MemoryBackend):
    """One step finds the schedules to remove, and another removes them."""

    def remove_schedules(self, names: Collection[str]) -> Sequence[str]:
        found = [schedule.name for schedule in self.schedules(names)]
        super().remove_schedules(names)
        return found


class DropsOtherSchedules(MemoryBackend):
    """due_schedules with a limit of one returns the schedule that was stored first."""

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        found = super().due_schedules(limit=limit)
        if limit > 1 or not found:
            return found
        with self._locked() as store:
            every = super().due_schedules(limit=100_000)
            return [min(every, key=lambda schedule: list(store.schedules).index(schedule.name))]


_PUT, _ADVANCE = "backend.MemoryBackend.put_schedules", "backend.MemoryBackend._advance"
_REPLACING, _ADVANCED = "backend.NewSchedule.replacing", "backend.registers.advanced"
_STORED = "backend.NewSchedule.stored"
_JOB, _DUE = "backend.Schedule.job", "backend.registers.due"
_REMOVE = "backend.MemoryBackend.remove_schedules"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.edited(
        "counts revisions from zero", "TICK-01", _PUT, "stored(call.now)", "stored(call.now)._replace(revision=0)"
    ),
    MEMORY.edited(
        "returns puts by name",
        "TICK-01",
        _PUT,
        "for new in call.schedules]",
        "for new in sorted(call.schedules, key=lambda new: new.name)]",
    ),
    MEMORY.edited(
        "ignores declarations",
        "TICK-02",
        _REPLACING,
        "self.declared is not None and self.declared == old.declared",
        "False",
    ),
    MEMORY.edited("puts again", "TICK-02", _REPLACING, "return old", "pass"),
    MEMORY.edited(
        "declares None",
        "TICK-03",
        _REPLACING,
        "self.declared is not None and self.declared == old.declared",
        "self.declared == old.declared",
    ),
    MEMORY.edited(
        "moves with each put", "TICK-03", _REPLACING, "old.next_tick if same_rule else self.next_tick", "self.next_tick"
    ),
    MEMORY.edited("resumes with each put", "TICK-03", _REPLACING, "paused=old.paused", "paused=False"),
    MEMORY.edited(
        "sorts schedules without case",
        "TICK-04",
        "backend.MemoryBackend.schedules",
        "& {*chosen})",
        "& {*chosen}, key=str.casefold)",
    ),
    MEMORY.edited(
        "returns schedules of any name",
        "TICK-04",
        "backend.MemoryBackend.schedules",
        "if chosen is None",
        "if not chosen or len(chosen) == 1",
    ),
    MEMORY.edited("shows paused schedules", "TICK-05", _DUE, " and not each.paused", ""),
    MEMORY.edited("sorts due schedules by name", "TICK-05", _DUE, "itemgetter(0, 1)", "itemgetter(1)"),
    MEMORY.mutant("shows the oldest schedule", "TICK-05", DropsOtherSchedules),
    MEMORY.edited("fires at once", "TICK-06", _ADVANCE, "stored(call.now)", "stored(call.now, call.now)"),
    MEMORY.edited(
        "fires without keys", "TICK-06", _ADVANCE, "stored(call.now)", "stored(call.now)._replace(unique_key=None)"
    ),
    MEMORY.edited("fires the latest tick", "TICK-06", _ADVANCE, "in advance.ticks", "in advance.ticks[-1:]"),
    MEMORY.edited("advances any revision", "TICK-07", _ADVANCED, " or schedule.revision != advance.revision", ""),
    MEMORY.edited("fires the future", "TICK-07", _ADVANCED, " or not call.is_due(advance)", ""),
    MEMORY.edited("fires while paused", "TICK-07", _ADVANCED, "schedule.paused or ", ""),
    MEMORY.edited(
        "fires the last tick again",
        "TICK-07",
        _ADVANCED,
        "advance.ticks[0] <= schedule.last_tick",
        "advance.ticks[0] < schedule.last_tick",
    ),
    MEMORY.edited(
        "forgets the last tick",
        "TICK-08",
        _ADVANCED,
        "if advance.ticks else schedule.last_tick",
        "if advance.ticks else None",
    ),
    MEMORY.edited(
        "updates with each tick",
        "TICK-08",
        _ADVANCED,
        "schedule.updated_at if schedule.paused == advance.paused else call.now",
        "call.now",
    ),
    MEMORY.edited(
        "stays paused", "TICK-08", _ADVANCED, "paused=advance.paused", "paused=schedule.paused or advance.paused"
    ),
    MEMORY.edited(
        "advances distinct ones",
        "TICK-09",
        "backend.MemoryBackend.advance",
        "in call.advances]",
        "in dict.fromkeys(call.advances)]",
    ),
    MEMORY.edited(
        "removes the unknown",
        "TICK-10",
        _REMOVE,
        "store.schedules.pop(name, None) is not None",
        "(store.schedules.pop(name, None), True)",
    ),
    MEMORY.edited(
        "keeps a removed schedule", "TICK-10", _REMOVE, "store.schedules.pop(name, None)", "store.schedules.get(name)"
    ),
    MEMORY.edited("forgets ticks of other stores", "TICK-12", _STORED, "last_tick=self.last_tick", "last_tick=None"),
    MEMORY.edited("resumes schedules that move", "TICK-12", _STORED, "paused=self.paused", "paused=False"),
    MEMORY.edited(
        "takes the last tick of each put",
        "TICK-12",
        _REPLACING,
        "last_tick=old.last_tick",
        "last_tick=self.last_tick or old.last_tick",
    ),
    MEMORY.edited("strips payloads of ticks", "TICK-11", _JOB, "payload=self.payload", "payload=self.payload.rstrip()"),
    MEMORY.edited("fires without meta", "TICK-11", _JOB, "meta=self.meta", "meta={}"),
    MEMORY.mutant("advances in two steps", "RACE-15", AdvancesInTwoSteps),
    MEMORY.mutant("removes schedules in two steps", "RACE-16", RemovesInTwoSteps),
)
