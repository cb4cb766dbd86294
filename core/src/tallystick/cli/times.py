"""Format times for people."""

from datetime import datetime, timedelta

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
