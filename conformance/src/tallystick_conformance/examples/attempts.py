"""Attempts that a batch names twice, and those of numbers that the job has not come to, however high."""

from tallystick import Claim, Complete, Hold

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


@example("SETTLE-08")
def the_same_outcome_is_applied_once(case: Case) -> None:
    """An outcome that stands in a batch twice, the very same object, is applied for the first alone."""
    outcome = Complete(case.running().claim)
    case.equal([True, False], list(case.backend.settle([outcome, outcome], now=NOW)))
