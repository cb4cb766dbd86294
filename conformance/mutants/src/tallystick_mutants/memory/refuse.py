"""Bugs in validation: invalid arguments that are accepted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick import Claim, Filter, Hold, Record, State
from tallystick.contract.state import FINAL
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class TakesAnyLimit(MemoryBackend):
    """A limit below one is treated as one."""

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        return super().cancel(filter, limit=max(1, limit), now=now)


class TakesAnyLease(MemoryBackend):
    """A lease of zero is treated as one second."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        return super().extend(claims, lease=max(lease, timedelta(seconds=1)), now=now)


class PurgesTheLiving(MemoryBackend):
    """A purge ignores states that are not final."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int, **options: Any) -> int:
        return super().purge([state for state in states if state in FINAL], before=before, limit=limit, **options)


class TakesAnyWorker(MemoryBackend):
    """An empty worker name is replaced by `unnamed`."""

    def claim(self, queues: Sequence[str], *, worker: str, **options: Any) -> Sequence[Record]:
        return super().claim(queues, worker=worker or "unnamed", **options)


class ReadsLetters(MemoryBackend):
    """wait treats a string as a list of its letters."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait([*queues] if isinstance(queues, str) else queues, timeout=timeout)


class TakesAnyAttempt(MemoryBackend):
    """extend returns LOST for an attempt beyond 64 bits."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        beyond = {n for n, claim in enumerate(claims) if isinstance(claim, Claim) and claim.attempt >= 2**63}
        held = iter(super().extend([claim for n, claim in enumerate(claims) if n not in beyond], **options))
        return [Hold.LOST if n in beyond else next(held) for n in range(len(claims))]


class TakesAnyOrder(MemoryBackend):
    """A list in an unknown order is a list by id."""

    def list(self, filter: Filter, *, order: Any = "id", **options: Any) -> Sequence[Record]:
        known = order in ("id", "finished_at", "run_at")
        return super().list(filter, order=order if known else "id", **options)


_PUT, _BEAT, _METER = (f"backend.register_calls.{call}" for call in ("put_schedules", "beat", "meter"))

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("takes any limit", "REFUSE-01", TakesAnyLimit),
    MEMORY.mutant("takes any lease", "REFUSE-02", TakesAnyLease),
    MEMORY.mutant("purges the living", "REFUSE-03", PurgesTheLiving),
    MEMORY.mutant("takes any worker", "REFUSE-04", TakesAnyWorker),
    MEMORY.mutant("reads letters", "REFUSE-05", ReadsLetters),
    MEMORY.mutant("takes any attempt", "REFUSE-06", TakesAnyAttempt),
    MEMORY.mutant("takes any order", "REFUSE-07", TakesAnyOrder),
    MEMORY.edited("puts the last of a name", "REFUSE-08", _PUT, "schedule.name in names", "False"),
    MEMORY.edited("takes any ttl", "REFUSE-09", _BEAT, "> LONGEST_TTL", "> 365 * LONGEST_TTL"),
    MEMORY.edited("meters the future", "REFUSE-09", _METER, "delta.minute - moment > AHEAD", "False"),
)
