"""Moments of which some are not known: where a call left `now` to the store's own clock, any could have been."""

from datetime import UTC, datetime, timedelta

ANY = datetime.max.replace(tzinfo=UTC)
"""A moment that nobody outside the store knows; it agrees with every other."""


def known(now: datetime | None) -> datetime:
    """Return the now of a call."""
    return ANY if now is None else now


def after(now: datetime, delay: timedelta) -> datetime:
    """Return the moment that comes a delay after another."""
    return ANY if now is ANY else now + delay


def resolved(at: datetime | timedelta | None, now: datetime) -> datetime:
    """Return the moment that a `run_at` means."""
    if at is None:
        return now
    return at if isinstance(at, datetime) else after(now, at)


def is_late(moment: datetime, limit: datetime, precision: timedelta) -> bool:
    """Say whether a moment lies after a limit for sure, by the precision of the store or more."""
    return moment is not ANY and limit is not ANY and moment - limit >= precision


def agree(one: object, other: object, precision: timedelta) -> bool:
    """Say whether two values may be the same: moments to the precision of the store, anything else exactly."""
    if one is ANY or other is ANY:
        return True
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) < precision
    return one == other
