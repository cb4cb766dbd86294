"""The settings of a runner: by argument, else from the environment (`TALLYSTICK_...`), else the default."""

import logging
import os
import secrets
import socket
from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, TypedDict

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from . import urls, validation
from .advice import unknown_setting
from .errors import ConfigurationError, InvalidArgument

logger = logging.getLogger("tallystick")

_PREFIX = "TALLYSTICK_"
_NOT_OURS = ("TALLYSTICK_DEBUG", "TALLYSTICK_TEST_")
"""Variables of the command line and of test suites, which are no settings."""


def _length(low: timedelta, high: timedelta) -> WrapValidator:
    """Read a timedelta, ISO 8601 or a number of seconds; reject one outside low..high."""

    def read(value: object, by_pydantic: ValidatorFunctionWrapHandler) -> timedelta:
        try:
            length = _seconds(value)
            length = by_pydantic(value) if length is None else length
        except (ValueError, OverflowError):  # it is not a number, or infinite, or longer than any timedelta
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


SHORTEST_LEASE = timedelta(milliseconds=100)
"""A lease is extended every sixth of it. Threads of Python take turns of 5 ms, so a shorter one cannot be kept."""

_TICK, _HOUR, _DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)

Lease = Annotated[timedelta, _length(SHORTEST_LEASE, _DAY)]
Poll = Annotated[timedelta, _length(_TICK, _HOUR)]
Maintenance = Annotated[timedelta, _length(_TICK, _DAY)]
Grace = Annotated[timedelta, _length(timedelta(0), 7 * _DAY)]
Keep = Annotated[timedelta, _length(timedelta(0), timedelta.max)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10_000)]


def _worker_name() -> str:
    return f"{socket.gethostname()[:200]}-{os.getpid()}-{secrets.token_hex(4)}"


class Settings(BaseSettings):
    """What can be set.

    Lengths of time are timedeltas; in the environment seconds or ISO 8601 ("PT30S"), and for `keep_...` also "forever".

    Args:
        backend: The URL of the store.
        queues: Which queues to work; None is those of the registered jobs. In the environment, names with commas.
        concurrency: How many sync handlers work at once (threads), and how many async ones (tasks); 1 to 10,000.
        batch: The most jobs of one claim, and of one settling; 1 to 10,000.
        lease: For how long a claim holds a job unless extended; a killed worker's jobs are free again after it. From
            100 ms to a day.
        poll: The longest time without a claim while idle; 1 ms to an hour.
        grace: How long `stop` lets jobs finish before it gives them back; up to 7 days. It ends at most 15
            seconds later, also where the store does not answer.
        maintenance: How often expired leases are rescued, and old records purged; 1 ms to a day.
        keep_completed: How long the records of completed jobs are kept; None is for ever.
        keep_discarded: The same for discarded ones.
        keep_cancelled: The same for cancelled ones.
        auto_setup: Whether the runner sets the store up when it opens it.
        worker: This runner's name, for people; by default unique to the process and its start.

    Raises:
        ConfigurationError: one has a value that cannot work, or does not exist.
    """

    model_config = SettingsConfigDict(
        env_prefix="TALLYSTICK_", env_parse_none_str="forever", extra="forbid", frozen=True
    )

    backend: str = Field(default="memory://", repr=False, strict=True)  # it may hold a password
    queues: Annotated[tuple[str, ...] | None, NoDecode] = None
    concurrency: Count = 10
    batch: Count = 500
    lease: Lease = timedelta(seconds=30)
    poll: Poll = timedelta(seconds=1)
    grace: Grace = timedelta(seconds=30)
    maintenance: Maintenance = timedelta(seconds=15)
    keep_completed: Keep | None = timedelta(hours=24)
    keep_discarded: Keep | None = timedelta(days=7)
    keep_cancelled: Keep | None = timedelta(days=7)
    auto_setup: bool = True
    worker: str = Field(default_factory=_worker_name)

    def __init__(self, /, **arguments: Any) -> None:
        try:
            _check_queues(arguments.get("queues"))
            super().__init__(**arguments)
        except ValidationError as exc:
            problems = "; ".join(map(_problem, exc.errors(include_url=False)))
            raise ConfigurationError(problems) from None  # pydantic's own text shows values, which may be passwords
        for name in os.environ:
            if name.upper().startswith(_PREFIX):
                _warn_of_unknown(name)

    @field_validator("queues", mode="before")
    @classmethod
    def _split_queues(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("queues")
    @classmethod
    def _check_queues(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else validation.names(value, "queues")

    @field_validator("worker")
    @classmethod
    def _check_worker(cls, value: str) -> str:
        return validation.name(value, "worker")


class SettingsArgs(TypedDict, total=False):
    """The settings as keyword arguments; see `Settings`."""

    backend: str
    queues: tuple[str, ...] | list[str] | None
    concurrency: int
    batch: int
    lease: timedelta
    poll: timedelta
    grace: timedelta
    maintenance: timedelta
    keep_completed: timedelta | None
    keep_discarded: timedelta | None
    keep_cancelled: timedelta | None
    auto_setup: bool
    worker: str


def read_settings(arguments: SettingsArgs) -> Settings:
    """Return the settings that result from arguments and environment; see `Settings`."""
    return Settings(**arguments)


def _check_queues(queues: Collection[str] | None) -> None:
    """Reject a bare string as an argument: only the environment has names with commas."""
    try:
        if queues is not None:
            validation.collection(queues, "queues", "names")
    except InvalidArgument as exc:
        raise ConfigurationError(str(exc)) from exc


def with_own_worker_name(settings: Settings) -> Settings:
    """Return the settings of a forked child: a worker's name that was not chosen is unique to its process."""
    if "worker" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"worker": _worker_name()})


@cache
def _warn_of_unknown(variable: str) -> None:
    """Warn once of a variable that looks like a setting and is none."""
    name = variable.upper().removeprefix(_PREFIX).lower()
    if name not in Settings.model_fields and not variable.upper().startswith(_NOT_OURS):
        logger.warning(
            "%s is set and is no setting: %s", variable, unknown_setting(name, Settings.model_fields, _PREFIX)
        )


def _problem(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    shown = urls.shown(error["input"])  # a URL may hold a password
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = unknown_setting(name, Settings.model_fields)
    return f"{name} (or TALLYSTICK_{name.upper()}) is {shown}: {message}"
