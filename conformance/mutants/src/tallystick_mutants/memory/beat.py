"""Bugs in the register of workers."""

from datetime import timedelta

from tallystick import Beat
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now


class BeatsInTwoSteps(MemoryBackend):
    """One step stores the worker, and another its ttl."""

    def beat(self, beat: Beat, *, ttl: timedelta, now: Now = None) -> None:
        super().beat(beat, ttl=timedelta(days=1) if ttl else ttl, now=now)
        with self._locked() as store:
            if ttl:
                store.workers[beat.worker] = store.workers[beat.worker]._replace(ttl=ttl)


_BEAT, _KEPT = "backend.MemoryBackend.beat", "backend.registers.is_kept"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.edited(
        "keeps the first beat",
        "BEAT-01",
        _BEAT,
        "= beat.info(call.now, call.ttl)",
        "= store.workers.get(beat.worker) or beat.info(call.now, call.ttl)",
    ),
    MEMORY.edited(
        "lists workers unsorted", "BEAT-01", "backend.MemoryBackend.workers", "sorted(store.workers)", "store.workers"
    ),
    MEMORY.edited(
        "keeps workers that leave", "BEAT-02", _BEAT, "[*gone, beat.worker] if not call.ttl else gone", "gone"
    ),
    MEMORY.edited("forgets workers at once", "BEAT-03", _KEPT, " + WORKERS_KEPT", ""),
    MEMORY.edited("keeps workers for ever", "BEAT-03", _KEPT, "return now <=", "return True or now <="),
    MEMORY.edited("forgets a worker a moment early", "BEAT-03", _KEPT, "now <=", "now <"),
    MEMORY.edited(
        "counts the listed attempts",
        "BEAT-04",
        _BEAT,
        "beat.info(call.now, call.ttl)",
        "beat.info(call.now, call.ttl)._replace(busy=len(beat.running))",
    ),
    MEMORY.mutant("beats in two steps", "RACE-17", BeatsInTwoSteps),
)
