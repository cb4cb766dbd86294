"""Attempts that occur twice in a batch, and attempt numbers that the job has not reached."""

from tallystick import Claim, Complete, Hold

from ..harness.case import LEASE, NOW, Case, example

_SIZES = (2**15 - 1, 2**15, 2**16, 1_000_000)
"""Attempt numbers around which counters overflow, and the highest that max_attempts allows."""


@example("LEASE-02")
def high_attempts_are_lost(case: Case) -> None:
    """`extend` returns LOST for an attempt that the job has not reached, however high its number is."""
    record = case.running()
    claims = [Claim(record.id, attempt) for attempt in _SIZES]
    held = case.backend.extend([*claims, record.claim], lease=LEASE, now=NOW)
    case.equal([*[Hold.LOST] * len(claims), Hold.HELD], list(held))


@example("SETTLE-06")
def high_attempts_are_rejected(case: Case) -> None:
    """`settle` rejects an outcome of an attempt that the job has not reached, however high its number is."""
    record = case.running()
    outcomes = [Complete(Claim(record.id, attempt)) for attempt in _SIZES]
    applied = case.backend.settle([*outcomes, Complete(record.claim)], now=NOW)
    case.equal([*[False] * len(outcomes), True], list(applied))


@example("SETTLE-08")
def the_same_outcome_is_applied_once(case: Case) -> None:
    """If the same outcome object occurs twice in a batch, settle applies it once."""
    outcome = Complete(case.running().claim)
    case.equal([True, False], list(case.backend.settle([outcome, outcome], now=NOW)))
