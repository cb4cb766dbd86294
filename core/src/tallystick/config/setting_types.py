"""The types of settings: lengths of time, counts, and objects that only code can set, each with its range."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from ..contract.records import MAX_ATTEMPTS
from ..errors import InvalidArgument
from ..jobs.retry import RetryPolicy, check_policy
from .payload_codec import PayloadCodec, check_codec


def _length(low: timedelta, high: timedelta) -> WrapValidator:
    """Accept a timedelta, ISO 8601 or a number of seconds, from low to high."""

    def read(value: object, by_pydantic: ValidatorFunctionWrapHandler) -> timedelta:
        try:
            length = _seconds(value)
            length = by_pydantic(value) if length is None else length
        except (ValueError, OverflowError):  # not a number, infinite, or too long for a timedelta
            length = None
        if not isinstance(length, timedelta) or not low <= length <= high:
            raise ValueError(f"it must be from {low.total_seconds():g} to {high.total_seconds():,.0f} seconds")
        return length

    return WrapValidator(read)


def _seconds(value: object) -> timedelta | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return timedelta(seconds=seconds)


def _whole(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("it must be a whole number")  # noqa: TRY004 - pydantic reports no TypeError
    return value


def _checked(check: Callable[[object], None]) -> BeforeValidator:
    """Accept None, and values that `check` does not reject."""

    def read(value: object) -> object:
        if value is not None:
            try:
                check(value)
            except InvalidArgument as exc:
                raise ValueError(str(exc).partition(", ")[2]) from None
        return value

    return BeforeValidator(read)


SHORTEST_LEASE = timedelta(milliseconds=100)
"""The shortest lease that a worker can keep: it is extended after a sixth, and Python switches threads every 5 ms."""

_TICK, _HOUR, _DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)

DEFAULT_MAX_ATTEMPTS = 20
"""How many attempts a job has if neither its kind nor the runner sets them."""

Lease = Annotated[timedelta, _length(SHORTEST_LEASE, _DAY)]
Poll = Annotated[timedelta, _length(_TICK, _HOUR)]
Maintenance = Annotated[timedelta, _length(_TICK, _DAY)]
Grace = Annotated[timedelta, _length(timedelta(0), 7 * _DAY)]
Delay = Annotated[timedelta, _length(timedelta(0), _DAY)]
Keep = Annotated[timedelta, _length(timedelta(0), timedelta.max)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10_000)]
Timeout = Annotated[timedelta, _length(_TICK, timedelta.max)]
Attempts = Annotated[int, BeforeValidator(_whole), Field(ge=MAX_ATTEMPTS[0], le=MAX_ATTEMPTS[1])]
if TYPE_CHECKING:
    Policy = RetryPolicy | None
    Codec = PayloadCodec | None
else:  # pydantic does not check protocols
    Policy = Annotated[Any, _checked(partial(check_policy, what="retry"))]
    Codec = Annotated[Any, _checked(check_codec)]
Bytes = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Weight = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=1_000)]
