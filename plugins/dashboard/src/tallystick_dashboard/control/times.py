"""Times and lengths of time, as people write and read them."""

from datetime import UTC, datetime, timedelta

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST_NUMBER = 6

WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
"""The windows of failures and charts."""


def parse_span(text: str) -> timedelta | None:
    """Return a span such as 90s, 15m, 2h or 7d; None for any other text."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER:
        return int(number) * _UNITS[unit]
    return None


def parse_past(text: str, now: datetime) -> datetime:
    """Return a time: ISO 8601, in UTC unless it has an offset, or an age such as 2h. Raise `ValueError` otherwise."""
    return _parse(text, now, -1)


def parse_due(text: str, now: datetime) -> datetime:
    """Return a time: now, ISO 8601, in UTC unless it has an offset, or a delay such as 15m."""
    return now if text == "now" else _parse(text, now, 1)


def _parse(text: str, now: datetime, direction: int) -> datetime:
    try:
        if (span := parse_span(text)) is not None:
            return now + direction * span
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:60]!r} is not a time; write ISO 8601, e.g. 2026-11-28T09:30, or a span, e.g. 2h"
        ) from None
