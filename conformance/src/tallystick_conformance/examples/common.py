"""Values and steps that the examples of several families share."""

from datetime import UTC, datetime, timedelta

from tallystick import Backend, Failure, NewRecord

from ..harness.case import LEASE, NOW, Case

ERROR = Failure("E", "m")
"""The failure of attempts, where the example is not about failures."""

HIGH_ATTEMPTS = (2**15 - 1, 2**15, 2**16, 1_000_000)
"""Attempt numbers around which counters overflow, and the highest that max_attempts allows."""

LARGEST_LIMIT = 2**31 - 1
MANY = 1_200
"""Larger than the sizes, up to 1,000, at which backends have been seen to stop early or to split a batch."""

LEAST = timedelta(microseconds=1)
"""The smallest difference between two times. It is less than a tick in a store with a precision of milliseconds."""

ODD_TICKS = 7
"""Ticks past a whole second, so that an example fails if a store keeps times less exactly than it declares."""

LONG_DUE = datetime(2001, 1, 1, tzinfo=UTC)
"""A run_at that is due by the store's clock, even if the store rounds times up to its precision."""

REREADS = 5
"""Rounds of reads by one client around a write by another. On a busy machine, a cache may expire within one round."""


def insert_many(case: Case) -> int:
    """Insert `MANY` jobs, or as many as one batch may have, and return how many."""
    size = min(MANY, case.capabilities.max_batch)
    case.backend.insert([NewRecord(kind="k") for _ in range(size)], now=NOW)
    return size


def claim_kinds(client: Backend, new: NewRecord) -> list[str]:
    """Claim at most one job of a record's queue by the store's clock, and return its kind."""
    return [record.kind for record in client.claim([new.queue], limit=1, worker="w", lease=LEASE)]
