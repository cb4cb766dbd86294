"""Moments that may be unknown: a call without `now` used the store's own clock."""

from datetime import UTC, datetime, timedelta

ANY = datetime.max.replace(tzinfo=UTC)
"""An unknown moment of the store's own clock; it agrees with every other moment."""


def known(now: datetime | None) -> datetime:
    """Return the `now` of a call, or `ANY`."""
    return ANY if now is None else now


def after(now: datetime, delay: timedelta) -> datetime:
    """Add a delay to a moment."""
    return ANY if now is ANY else now + delay


def resolved(at: datetime | timedelta | None, now: datetime) -> datetime:
    """Convert a `run_at` to a moment."""
    if at is None:
        return now
    return at if isinstance(at, datetime) else after(now, at)


def is_late(moment: datetime, limit: datetime, precision: timedelta) -> bool:
    """Return whether a moment is certainly after a limit, by at least the store's precision."""
    return moment is not ANY and limit is not ANY and moment - limit >= precision


def agree(one: object, other: object, precision: timedelta) -> bool:
    """Return whether two values may be equal: moments within the store's precision, other values exactly."""
    if one is ANY or other is ANY:
        return True
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) < precision
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(agree(a, b, precision) for a, b in zip(one, other, strict=True))
    return one == other
