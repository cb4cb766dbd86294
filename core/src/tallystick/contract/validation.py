"""Checks of single arguments. Backends share them, so that every backend rejects the same values."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ..errors import InvalidArgument, PayloadTooLarge
from ..messages.safe_repr import safe_repr
from .state import FINAL, State

T = TypeVar("T")

NAME_LENGTH = 255
"""The maximum length of a kind, queue, worker, unique key or tag, in characters."""


def utc(value: datetime, what: str = "now") -> datetime:
    """Convert an aware datetime to UTC. Reject a naive one, and any other type."""
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be an aware datetime, e.g. datetime.now(UTC)")
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgument(
            f"{what} is {safe_repr(value)}, which has no time zone; pass an aware datetime, e.g. datetime.now(UTC)"
        )
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError) as exc:
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be within the years 1 to 9999 in UTC") from exc


def moment(value: datetime | timedelta | None, now: datetime, what: str = "run_at") -> datetime:
    """Resolve a time to a datetime in UTC: add a delay to `now`, and replace None by `now`."""
    if value is None:
        return now
    if isinstance(value, datetime):
        return utc(value, what)
    try:
        return now + delay(value, what)
    except OverflowError as exc:
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must end in the year 9999 or before") from exc


def due(value: datetime | timedelta | None, what: str = "run_at") -> None:
    """Reject a time that `moment` cannot resolve, without knowing `now`."""
    if isinstance(value, datetime):
        utc(value, what)
    elif value is not None:
        delay(value, what)


def delay(value: timedelta, what: str) -> timedelta:
    """Return a delay. Reject a negative one."""
    return _zero_or_more(value, what, "an aware datetime or a timedelta of zero or more")


def not_negative(value: timedelta, what: str) -> timedelta:
    """Return a duration. Reject a negative one."""
    return _zero_or_more(value, what, "a timedelta of zero or more, not a negative one")


def _zero_or_more(value: timedelta, what: str, allowed: str) -> timedelta:
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be {allowed}{_as_seconds(value)}")
    return value


def _as_seconds(value: object) -> str:
    return f", e.g. timedelta(seconds={value!r})" if type(value) in (int, float) else ""


def name(value: str, what: str) -> str:
    """Return a name as a plain string. Reject one that is empty, too long or not printable."""
    if not isinstance(value, str) or not value or len(value) > NAME_LENGTH or not value.isprintable():
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be 1 to {NAME_LENGTH} printable characters")
    return value if type(value) is str else str.__str__(value)  # a string enum becomes a plain string


def text(value: str, what: str) -> str:
    """Return a text to search for. Reject one that is empty or longer than a name."""
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_LENGTH:
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be a string of 1 to {NAME_LENGTH} characters")
    return value


def names(values: Collection[str], what: str) -> tuple[str, ...]:
    """Return distinct names in the order given. Reject a bare string, which would become one name for each letter."""
    return tuple(dict.fromkeys(name(value, what) for value in collection(values, what, "names")))


def in_order(first: datetime, last: datetime, first_name: str, last_name: str) -> None:
    """Reject a range that begins after its end."""
    if first > last:
        raise InvalidArgument(
            f"{first_name} is {first.isoformat()}, later than {last_name}, {last.isoformat()}; exchange them"
        )


def collection(values: Collection[T], what: str, of: str) -> Collection[T]:
    """Return a collection. Reject a bare string, bytes, a mapping, and an iterator."""
    if isinstance(values, str):
        raise InvalidArgument(
            f"{what} is the string {safe_repr(values)}; pass a list of {of}, e.g. [{safe_repr(values)}]"
        )
    if isinstance(values, bytes | bytearray | memoryview | Mapping) or not isinstance(values, Collection):
        raise InvalidArgument(f"{what} is {safe_repr(values)}; it must be a list of {of}")
    return values


def within(value: int, low: int, high: int, what: str) -> int:
    """Return an integer. Reject one outside low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be a whole number from {low} to {high}")
    return value


def limit(value: int) -> int:
    """Return the limit of a call. Reject one below 1."""
    return within(value, 1, 2**31 - 1, "limit")


def positive(value: timedelta, what: str) -> timedelta:
    """Return a duration. Reject zero and negative ones."""
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise InvalidArgument(
            f"{what} is {safe_repr(value)}; it must be a timedelta longer than zero{_as_seconds(value)}"
        )
    return value


LONGEST_SECONDS = 3_650 * 24 * 60 * 60
"""The maximum number of seconds for which a time can hold a unique key or debounce a job."""


def whole_seconds(value: timedelta, what: str) -> timedelta:
    """Return a duration of whole seconds, which every store keeps exactly. Reject any other, and one above 10 years."""
    second = timedelta(seconds=1)
    if not isinstance(value, timedelta) or value % second or not 1 <= value // second <= LONGEST_SECONDS:
        raise InvalidArgument(
            f"{what} is {safe_repr(value)}; it must be a timedelta of whole seconds, from 1 second to 3,650 days"
            f"{_as_seconds(value)}"
        )
    return value


def duration(value: timedelta, what: str) -> timedelta:
    """Return a duration, which may be zero or negative. Reject any other type."""
    if not isinstance(value, timedelta):
        raise InvalidArgument(f"{what} is {safe_repr(value)}; it must be a timedelta{_as_seconds(value)}")
    return value


def size(value: bytes | None, maximum: int, what: str) -> None:
    """Reject a payload or result that is larger than a backend's `max_payload_bytes`."""
    if value is not None and len(value) > maximum:
        raise PayloadTooLarge(f"{what} has {len(value):,} bytes; this backend keeps at most {maximum:,}")


def final(states: Collection[State]) -> None:
    """Reject a state that is not final."""
    for state in collection(states, "states", "states"):
        if not isinstance(state, str) or state not in FINAL:
            raise InvalidArgument(
                f"states has {safe_repr(state)}; only final ones are allowed: {', '.join(sorted(FINAL))}"
            )
