"""The checks that every call of the contract begins with. Public, so that each backend refuses the same, alike."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from .errors import InvalidArgument, PayloadTooLarge
from .state import FINAL, State

NAME_LENGTH = 255
"""The most characters of a kind, queue, worker, unique key or tag."""


def utc(value: datetime, what: str = "now") -> datetime:
    """Return an aware datetime in UTC; refuse a naive one."""
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgument(
            f"{what} is {value!r}, which has no time zone; pass an aware datetime, e.g. datetime.now(UTC)"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {value!r}, which lies outside the years 1 to 9999 in UTC") from exc


def moment(value: datetime | timedelta | None, now: datetime, what: str = "run_at") -> datetime:
    """Resolve a point in time: a datetime as it is, a delay counted from `now`, None as `now`."""
    if value is None:
        return now
    if isinstance(value, datetime):
        return utc(value, what)
    try:
        return now + delay(value, what)
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {value!r}, which ends after the year 9999") from exc


def due(value: datetime | timedelta | None, what: str = "run_at") -> None:
    """Refuse what `moment` could not resolve, before there is a `now`."""
    if isinstance(value, datetime):
        utc(value, what)
    elif value is not None:
        delay(value, what)


def delay(value: timedelta, what: str) -> timedelta:
    """Return a delay as it is; refuse a negative one."""
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise InvalidArgument(f"{what} is {value!r}; it must be an aware datetime or a timedelta of zero or more")
    return value


def name(value: str, what: str) -> str:
    """Return a name as it is; refuse one that some store could not hold."""
    if not isinstance(value, str) or not value or len(value) > NAME_LENGTH or not value.isprintable():
        raise InvalidArgument(f"{what} is {value!r}; it must be 1 to {NAME_LENGTH} printable characters")
    return value


def names(values: Iterable[str], what: str) -> tuple[str, ...]:
    """Return distinct names in the order given; refuse a bare string, which would be read letter by letter."""
    if isinstance(values, str):
        raise InvalidArgument(f"{what} is the string {values!r}; pass a list of names, e.g. [{values!r}]")
    return tuple(dict.fromkeys(name(value, what) for value in values))


def within(value: int, low: int, high: int, what: str) -> int:
    """Return a whole number as it is; refuse one outside low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgument(f"{what} is {value!r}; it must be a whole number from {low} to {high}")
    return value


def limit(value: int) -> int:
    """Return the limit of a call; refuse what is less than one."""
    return within(value, 1, 2**31 - 1, "limit")


def positive(value: timedelta, what: str) -> timedelta:
    """Return a length of time as it is; refuse zero and less."""
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise InvalidArgument(f"{what} is {value!r}; it must be a timedelta longer than zero")
    return value


def size(value: bytes | None, maximum: int, what: str) -> None:
    """Refuse more bytes than a backend's `max_payload_bytes`."""
    if value is not None and len(value) > maximum:
        raise PayloadTooLarge(f"{what} has {len(value):,} bytes; this backend keeps at most {maximum:,}")


def final(states: Iterable[State]) -> None:
    """Refuse a state that is not final."""
    for state in states:
        if state not in FINAL:
            raise InvalidArgument(f"states has {state!r}; only final ones are allowed: {', '.join(sorted(FINAL))}")
