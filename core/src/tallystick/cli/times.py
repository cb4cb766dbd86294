"""Format times for people."""

from datetime import datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(length: timedelta) -> str:
    """Return a length of time in its largest whole unit: 5 min, 2 h, 0 s."""
    seconds = max(0, int(length.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def relative(moment: datetime, now: datetime) -> str:
    """Return a moment relative to now: in 5 min, 2 h ago, now."""
    away = moment - now
    if abs(away) < timedelta(seconds=1):
        return "now"
    return f"in {span(away)}" if away > timedelta(0) else f"{span(-away)} ago"
