"""Extending claims: order of the results, and attempt numbers that the job has not reached."""

from uuid import UUID

from tallystick import Claim, Filter, Hold, NewRecord

from ..harness.case import LEASE, NOW, Case, example
from .common import HIGH_ATTEMPTS


@example("LEASE-02")
def high_attempts_are_lost(case: Case) -> None:
    """`extend` returns LOST for an attempt that the job has not reached, however high its number is."""
    record = case.running()
    claims = [Claim(record.id, attempt) for attempt in HIGH_ATTEMPTS]
    held = case.backend.extend([*claims, record.claim], lease=LEASE, now=NOW)
    case.equal([*[Hold.LOST] * len(claims), Hold.HELD], list(held))


@example("LEASE-05")
def holds_are_returned_in_order(case: Case) -> None:
    """`extend` returns one result for each claim, in order, if current, flagged, stale and unknown claims are mixed."""
    case.insert(*(NewRecord(kind="k") for _ in range(3)))
    held, flagged, other = (record.claim for record in case.claim())
    case.backend.cancel(Filter(ids=[flagged.id]), limit=1, now=NOW)
    stale, unknown = Claim(held.id, 7), Claim(UUID(int=9), 1)
    claims = [stale, held, flagged, unknown, other, held, stale, flagged]
    expected = [Hold.LOST, Hold.HELD, Hold.CANCEL_REQUESTED, Hold.LOST, Hold.HELD, Hold.HELD, Hold.LOST,
                Hold.CANCEL_REQUESTED]  # fmt: skip
    case.equal(expected, list(case.backend.extend(claims, lease=LEASE, now=NOW)))
