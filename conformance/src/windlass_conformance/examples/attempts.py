"""Attempts of a job that has had many: as many as max_attempts allows are numbers that a claim may carry."""

from windlass import Claim, Complete, Hold

from ..case import LEASE, NOW, Case, example

_SIZES = (2**15 - 1, 2**15, 2**16, 1_000_000)
"""Numbers of attempts around which counters overflow, and the highest that max_attempts allows."""


@example("LEASE-02")
def high_attempts_are_lost(case: Case) -> None:
    """A claim of an attempt that the job has not come to yet is lost, however high its number."""
    record = case.running()
    claims = [Claim(record.id, attempt) for attempt in _SIZES]
    held = case.backend.extend([*claims, record.claim], lease=LEASE, now=NOW)
    case.equal([*[Hold.LOST] * len(claims), Hold.HELD], list(held))


@example("SETTLE-06")
def high_attempts_are_refused(case: Case) -> None:
    """An outcome of an attempt that the job has not come to yet is refused, however high its number."""
    record = case.running()
    outcomes = [Complete(Claim(record.id, attempt)) for attempt in _SIZES]
    applied = case.backend.settle([*outcomes, Complete(record.claim)], now=NOW)
    case.equal([*[False] * len(outcomes), True], list(applied))
