"""The id of the job of a tick."""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from ...errors import InvalidArgument
from .. import validation
from .rule import EPOCH


def tick_id(schedule: str, tick: datetime) -> UUID:
    """Return the id of the job of a tick: always the same one, so that a repeated insert has no effect.

    It is a UUIDv7 (RFC 9562, section 5.7): the milliseconds of the tick, then a hash of the schedule's name and the
    tick. So the ids of later ticks are higher, and lists in the order of ids show the jobs by time.
    """
    schedule, tick = validation.name(schedule, "schedule"), validation.utc(tick, "tick")
    if tick < EPOCH:
        raise InvalidArgument(f"the tick is {tick}; it must not be earlier than 1970")
    milliseconds = (tick - EPOCH) // timedelta(milliseconds=1)
    digest = int.from_bytes(sha256(f"{milliseconds} {schedule}".encode()).digest()[:10])
    high, low = digest >> 68, digest & (1 << 62) - 1  # 12 and 62 of 80 bits
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
