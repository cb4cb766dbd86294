"""Bugs in meters."""

from collections.abc import Sequence

from tallystick import MeterDelta
from tallystick.backends import register_calls
from tallystick.backends.registers import Numbers
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class MetersInTwoSteps(MemoryBackend):
    """One step reads the numbers of a minute, and another stores the sums."""

    def meter(self, deltas: Sequence[MeterDelta], *, now: Now = None) -> None:
        super().meter([], now=now)
        for delta in register_calls.meter(deltas, self.capabilities, now=now).deltas:
            key, sums = (delta.minute, delta.queue, delta.kind), Numbers.of(delta)
            with self._locked() as store:
                known = store.meters.get(key)
            with self._locked() as store:
                store.meters[key] = sums if known is None else known.plus(sums)


_METER, _METERS = "backend.MemoryBackend.meter", "backend.MemoryBackend.meters"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.edited(
        "replaces the numbers",
        "METER-01",
        _METER,
        "store.meters[key].plus(more) if key in store.meters else more",
        "more",
    ),
    MEMORY.edited("includes the end of a range", "METER-01", _METERS, "key[0] < call.until", "key[0] <= call.until"),
    MEMORY.edited("keeps every minute", "METER-02", _METER, "if key[0] < call.oldest", "if False"),
    MEMORY.edited("drops a minute early", "METER-02", _METER, "key[0] < call.oldest", "key[0] <= call.oldest"),
    MEMORY.edited("strips names of meters", "METER-03", _METER, "delta.queue,", "delta.queue.strip(),"),
    MEMORY.edited(
        "begins steps with the range", "METER-04", "backend.register_calls.MetersCall.start", "_EPOCH", "self.since"
    ),
    MEMORY.mutant("meters in two steps", "RACE-18", MetersInTwoSteps),
)
