"""Format times for people, and read times that they write."""

from datetime import UTC, datetime, timedelta

import typer

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(length: timedelta) -> str:
    """Return a length of time in its largest whole unit: 5 min, 2 h, 0 s."""
    seconds = max(0, int(length.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def length(mean: timedelta) -> str:
    """Return a short length of time exactly, and a long one in its largest whole unit: 12 ms, 1.5 s, 3 h."""
    seconds = mean.total_seconds()
    if seconds < 1:
        return f"{seconds * 1_000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span(mean)


def relative(moment: datetime, now: datetime) -> str:
    """Return a moment relative to now: in 5 min, 2 h ago, now."""
    away = moment - now
    if abs(away) < timedelta(seconds=1):
        return "now"
    return f"in {span(away)}" if away > timedelta(0) else f"{span(-away)} ago"


_SPANS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def parse_span(text: str) -> timedelta | None:
    """Return a span such as 90s, 15m, 2h or 7d; None for any other text."""
    number, unit = text[:-1], text[-1:]
    if unit in _SPANS and number.isascii() and number.isdecimal() and len(number) <= 6:
        return int(number) * _SPANS[unit]
    return None


def parse_past(text: str) -> datetime:
    """Return a time: ISO 8601, in UTC unless it has an offset, or an age such as 2h."""
    return _parse(text, -1, "ISO 8601 or an age, e.g. 2026-11-28T09:30 (in UTC) or 2h")


def parse_due(text: str) -> datetime:
    """Return a time: now, ISO 8601, in UTC unless it has an offset, or a delay such as 15m."""
    if text == "now":
        return datetime.now(UTC)
    return _parse(text, 1, "'now', ISO 8601 or a delay, e.g. 2026-11-28T09:30 (in UTC) or 15m")


def _parse(text: str, direction: int, allowed: str) -> datetime:
    try:
        if (span := parse_span(text)) is not None:
            return datetime.now(UTC) + direction * span
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise typer.BadParameter(f"{text!r} is no time; write {allowed}") from exc
