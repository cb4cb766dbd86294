"""Bugs in extend: stale claims, expired leases, and the order of results."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tallystick import Claim, Hold
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now

_PART = 128


class ExtendsTheFirst(MemoryBackend):
    """extend returns HELD for all claims after the first 128, and does not extend them."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: Now = None) -> Sequence[Hold]:
        if len(claims) <= _PART or len(claims) > self.capabilities.max_batch:
            return super().extend(claims, lease=lease, now=now)
        return [*super().extend(claims[:_PART], lease=lease, now=now), *[Hold.HELD] * (len(claims) - _PART)]


class ExtendsStale(MemoryBackend):
    """A claim of an earlier attempt extends the lease of the current one."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if record is not None and record.attempt > claim.attempt:
            claim = record.claim
        return super()._extend(store, claim, until, now)


class LosesExpired(MemoryBackend):
    """An expired lease cannot be extended."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if record is not None and record.lease_until is not None and record.lease_until <= now:
            return Hold.LOST
        return super()._extend(store, claim, until, now)


class HoldsSorted(MemoryBackend):
    """The results of an extend are sorted, with lost claims last."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        return sorted(super().extend(claims, lease=lease, now=now), key=lambda hold: hold is Hold.LOST)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("extends the first", "LEASE-01", ExtendsTheFirst),
    MEMORY.mutant("extends stale claims", "LEASE-02", ExtendsStale, "D4"),
    MEMORY.mutant("loses expired leases", "LEASE-04", LosesExpired, "J8"),
    MEMORY.mutant("answers holds sorted", "LEASE-05", HoldsSorted, "H4"),
)
