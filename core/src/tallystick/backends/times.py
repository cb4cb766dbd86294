"""Round times to the precision of a store, and convert them to microseconds and back. All times are in UTC."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ..contract import validation
from ..contract.records import Capabilities
from ..errors import InvalidArgument

MICROSECOND = timedelta(microseconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def rounded_down(moment: datetime, precision: timedelta) -> datetime:
    """Round a time down to a store's `time_precision`, as for `now`."""
    return moment if precision <= MICROSECOND else moment - (moment - _EPOCH) % precision


def rounded_up(moment: datetime, precision: timedelta, what: str = "run_at") -> datetime:
    """Round a time up to a store's `time_precision`, as for a due time or the end of a lease.

    Raises:
        InvalidArgument: The result is after the year 9999.
    """
    if precision <= MICROSECOND:
        return moment
    try:
        return moment + (_EPOCH - moment) % precision
    except OverflowError as exc:
        last = rounded_down(_LAST, precision)
        raise InvalidArgument(f"{what} is {moment}; the latest time that this backend can store is {last}") from exc


def call_times(now: datetime | None, capabilities: Capabilities) -> tuple[datetime, datetime | None]:
    """Return the time of a call, and the `now` that the caller passed. Both are rounded down to the precision."""
    precision = capabilities.time_precision
    if now is None:
        return rounded_down(datetime.now(UTC), precision), None
    given = rounded_down(validation.utc(now), precision)
    return given, given


def micros(moment: datetime) -> int:
    """Return a time as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // MICROSECOND


@lru_cache(maxsize=4096)  # the records of one batch share most of their times
def moment(micros: int) -> datetime:
    """Return the time of a number of microseconds since 1970, clamped to the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST
