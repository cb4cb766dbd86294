"""The checks that every call of the contract begins with. Public, so that each backend refuses the same, alike."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from .errors import InvalidArgument, PayloadTooLarge
from .safe_repr import safe_repr
from .state import FINAL, State

T = TypeVar("T")

NAME_LENGTH = 255
"""The most characters of a kind, queue, worker, unique key or tag."""


def shown(value: object) -> str:
    """Return the repr of a value for a message: bounded, and whatever the value's own methods raise."""
    return safe_repr(value)


def utc(value: datetime, what: str = "now") -> datetime:
    """Return an aware datetime in UTC; refuse a naive one, and what is no datetime."""
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{what} is {shown(value)}; it must be an aware datetime, e.g. datetime.now(UTC)")
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgument(
            f"{what} is {shown(value)}, which has no time zone; pass an aware datetime, e.g. datetime.now(UTC)"
        )
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError) as exc:
        raise InvalidArgument(f"{what} is {shown(value)}, which lies outside the years 1 to 9999 in UTC") from exc


def moment(value: datetime | timedelta | None, now: datetime, what: str = "run_at") -> datetime:
    """Resolve a point in time: a datetime as it is, a delay counted from `now`, None as `now`."""
    if value is None:
        return now
    if isinstance(value, datetime):
        return utc(value, what)
    try:
        return now + delay(value, what)
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {shown(value)}, which ends after the year 9999") from exc


def due(value: datetime | timedelta | None, what: str = "run_at") -> None:
    """Refuse what `moment` could not resolve, before there is a `now`."""
    if isinstance(value, datetime):
        utc(value, what)
    elif value is not None:
        delay(value, what)


def delay(value: timedelta, what: str) -> timedelta:
    """Return a delay as it is; refuse a negative one."""
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise InvalidArgument(
            f"{what} is {shown(value)}; it must be an aware datetime or a timedelta of zero or more{_as_seconds(value)}"
        )
    return value


def not_negative(value: timedelta, what: str) -> timedelta:
    """Return a length of time as it is; refuse a negative one."""
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise InvalidArgument(
            f"{what} is {shown(value)}; it must be a timedelta of zero or more, not a negative one{_as_seconds(value)}"
        )
    return value


def _as_seconds(value: object) -> str:
    """Return how to write a bare number as a length of time."""
    return f", e.g. timedelta(seconds={value!r})" if type(value) in (int, float) else ""


def name(value: str, what: str) -> str:
    """Return a name as a plain string; refuse one that some store could not hold."""
    if not isinstance(value, str) or not value or len(value) > NAME_LENGTH or not value.isprintable():
        raise InvalidArgument(f"{what} is {shown(value)}; it must be 1 to {NAME_LENGTH} printable characters")
    return value if type(value) is str else str.__str__(value)  # a member of an enum is stored as its text


def names(values: Collection[str], what: str) -> tuple[str, ...]:
    """Return distinct names in the order given; refuse a bare string, which would be read letter by letter."""
    return tuple(dict.fromkeys(name(value, what) for value in collection(values, what, "names")))


def collection(values: Collection[T], what: str, of: str) -> Collection[T]:
    """Return a collection as it is; refuse a bare string, bytes, a mapping, and what cannot be counted and repeated."""
    if isinstance(values, str):
        raise InvalidArgument(f"{what} is the string {shown(values)}; pass a list of {of}, e.g. [{shown(values)}]")
    if isinstance(values, bytes | bytearray | memoryview | Mapping) or not isinstance(values, Collection):
        raise InvalidArgument(f"{what} is {shown(values)}; it must be a list of {of}")
    return values


def within(value: int, low: int, high: int, what: str) -> int:
    """Return a whole number as it is; refuse one outside low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgument(f"{what} is {shown(value)}; it must be a whole number from {low} to {high}")
    return value


def limit(value: int) -> int:
    """Return the limit of a call; refuse what is less than one."""
    return within(value, 1, 2**31 - 1, "limit")


def positive(value: timedelta, what: str) -> timedelta:
    """Return a length of time as it is; refuse zero and less."""
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise InvalidArgument(f"{what} is {shown(value)}; it must be a timedelta longer than zero{_as_seconds(value)}")
    return value


def duration(value: timedelta, what: str) -> timedelta:
    """Return a length of time as it is; refuse what is no timedelta. Zero and less is no time at all."""
    if not isinstance(value, timedelta):
        raise InvalidArgument(f"{what} is {shown(value)}; it must be a timedelta{_as_seconds(value)}")
    return value


def size(value: bytes | None, maximum: int, what: str) -> None:
    """Refuse more bytes than a backend's `max_payload_bytes`."""
    if value is not None and len(value) > maximum:
        raise PayloadTooLarge(f"{what} has {len(value):,} bytes; this backend keeps at most {maximum:,}")


def final(states: Collection[State]) -> None:
    """Refuse a state that is not final."""
    for state in collection(states, "states", "states"):
        if not isinstance(state, str) or state not in FINAL:
            raise InvalidArgument(f"states has {shown(state)}; only final ones are allowed: {', '.join(sorted(FINAL))}")
