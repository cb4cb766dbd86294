"""The settings of a runner: from arguments, else from environment variables (`TALLYSTICK_...`), else the defaults."""

import logging
import os
import secrets
import socket
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .. import urls
from ..contract import validation
from ..errors import ConfigurationError, InvalidArgument
from ..jobs.options import Options
from ..jobs.retry import Exponential, RetryPolicy
from ..messages.advice import unknown_setting
from . import setting_types as types
from .payload_codec import PayloadCodec

logger = logging.getLogger("tallystick")

T = TypeVar("T")

_PREFIX = "TALLYSTICK_"
COMMAND_VARIABLES = tuple(
    _PREFIX + name
    for name in (
        "DEBUG",
        "PROCESSES",
        "MAX_AGE",
        "MAX_JOBS",
        "MAX_MEMORY",
        "HEALTH",
        "LOG_LEVEL",
        "LOG_FORMAT",
    )
)
"""The environment variables of the command line's own options."""

_NOT_OURS = (*COMMAND_VARIABLES, "TALLYSTICK_TEST_", "TALLYSTICK_DASHBOARD_")
"""Environment variables of the command line, of test suites and of the dashboard, which are not settings here."""


def _worker_name() -> str:
    return f"{socket.gethostname()[:200]}-{os.getpid()}-{secrets.token_hex(4)}"


class Settings(BaseModel):
    """The settings of a runner.

    Lengths of time are timedeltas. In the environment, write seconds or ISO 8601 ("PT30S"); `keep_...` and `timeout`
    also accept "forever".

    Args:
        backend: The URL of the store.
        queues: The queues to serve; None serves the queues of the registered jobs. In the environment, separate names
            with commas.
        queue_weights: The share of the claims of each queue, 1 to 1,000; a queue that is left out has 1. In the
            environment, "emails:5,default:1".
        concurrency: How many sync handlers (threads), and how many async handlers (tasks), run at once; 1 to 10,000.
        batch: The most jobs per claim, and the most outcomes per settlement; 1 to 10,000. While claims take longer than
            0.1 seconds, a claim takes up to ten times as many.
        lease: How long a claim holds a job without an extension; 100 ms to a day. After a worker is killed, its jobs
            are free again when their leases expire.
        poll: The longest time between two claims while idle; 1 ms to an hour.
        grace: How long `stop` lets jobs finish before it releases them; up to 7 days. `stop` returns at most 15
            seconds later, even if the store does not respond.
        maintenance: How often expired leases are rescued and old records purged; 1 ms to a day.
        keep_completed: How long the records of completed jobs are kept; None keeps them forever.
        keep_discarded: The same for discarded jobs.
        keep_cancelled: The same for cancelled jobs.
        max_attempts: A job is discarded after this many failed attempts; for kinds without this option.
        retry: The retry policy of kinds without one. None is `Exponential(base=retry_base)`. The environment cannot set
            it.
        retry_base: The delay before the second attempt, by the default policy; up to a day.
        timeout: The longest that an attempt may take, for kinds without this option; None is no limit. From 1 ms.
        queue_timeouts: The same for the jobs of single queues; it overrides `timeout`. In the environment,
            "emails:30,reports:forever".
        max_payload_bytes: The most bytes of a payload, and of a result, as stored; None is the limit of the backend.
        codec: Changes payloads and results before they are stored, e.g. to encrypt them; see `PayloadCodec`. The
            environment cannot set it.
        auto_setup: Whether the runner sets up the store when it opens it.
        worker: The name of this runner's worker, for people; by default unique to the process and its start.

    Raises:
        ConfigurationError: a setting has an invalid value, or does not exist.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str = Field(default="memory://", repr=False, strict=True)  # it may hold a password
    queues: tuple[str, ...] | None = None
    queue_weights: Mapping[str, types.Weight] | None = None
    concurrency: types.Count = 10
    batch: types.Count = 1_000
    lease: types.Lease = timedelta(seconds=30)
    poll: types.Poll = timedelta(seconds=1)
    grace: types.Grace = timedelta(seconds=30)
    maintenance: types.Maintenance = timedelta(seconds=15)
    keep_completed: types.Keep | None = timedelta(hours=24)
    keep_discarded: types.Keep | None = timedelta(days=7)
    keep_cancelled: types.Keep | None = timedelta(days=7)
    max_attempts: types.Attempts = types.DEFAULT_MAX_ATTEMPTS
    retry: types.Policy = None
    retry_base: types.Delay = timedelta(seconds=30)
    timeout: types.Timeout | None = None
    queue_timeouts: Mapping[str, types.Timeout] | None = None
    max_payload_bytes: types.Bytes | None = None
    codec: types.Codec = Field(default=None, repr=False)  # its repr may show a key
    auto_setup: bool = True
    worker: str = Field(default_factory=_worker_name, validate_default=True)  # a host may have any name

    def __init__(self, /, **arguments: Any) -> None:
        try:
            _check_queues(arguments.get("queues"))
            super().__init__(**_from_environment() | arguments)
        except ValidationError as exc:
            problems = "; ".join(map(_problem, exc.errors(include_url=False)))
            raise ConfigurationError(problems) from None  # pydantic's text shows values, which may be passwords
        for name in os.environ:
            if name.upper().startswith(_PREFIX):
                _warn_of_unknown(name)

    def max_attempts_of(self, options: Options) -> int:
        """Return the `max_attempts` of jobs with these options."""
        return self.max_attempts if options.max_attempts is None else options.max_attempts

    def retry_of(self, options: Options) -> RetryPolicy:
        """Return the retry policy of jobs with these options."""
        policy: RetryPolicy | None = self.retry if options.retry is None else options.retry
        return Exponential(base=self.retry_base) if policy is None else policy

    def timeout_of(self, options: Options, queue: str) -> timedelta | None:
        """Return the longest time of an attempt of a job with these options in a queue; None is no limit."""
        timeout = options.timeout
        if timeout is None and self.queue_timeouts is not None:
            timeout = self.queue_timeouts.get(queue)
        if timeout is None:
            timeout = self.timeout
        return None if timeout == timedelta.max else timeout

    @field_validator("queues", mode="before")
    @classmethod
    def _split_queues(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("queues")
    @classmethod
    def _check_queues(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else validation.names(value, "queues")

    @field_validator("queue_weights", "queue_timeouts", mode="before")
    @classmethod
    def _split_by_queue(cls, value: object) -> object:
        return by_queue(value) if isinstance(value, str) else value

    @field_validator("queue_weights", "queue_timeouts")
    @classmethod
    def _check_by_queue(cls, value: Mapping[str, T] | None) -> Mapping[str, T] | None:
        return None if value is None else {validation.name(queue, "queue"): each for queue, each in value.items()}

    @field_validator("worker")
    @classmethod
    def _check_worker(cls, value: str) -> str:
        return validation.name(value, "worker")


class SettingsArgs(TypedDict, total=False):
    """The settings as keyword arguments; see `Settings`."""

    backend: str
    queues: tuple[str, ...] | list[str] | None
    queue_weights: Mapping[str, int] | None
    concurrency: int
    batch: int
    lease: timedelta
    poll: timedelta
    grace: timedelta
    maintenance: timedelta
    keep_completed: timedelta | None
    keep_discarded: timedelta | None
    keep_cancelled: timedelta | None
    max_attempts: int
    retry: RetryPolicy | None
    retry_base: timedelta
    timeout: timedelta | None
    queue_timeouts: Mapping[str, timedelta] | None
    max_payload_bytes: int | None
    codec: PayloadCodec | None
    auto_setup: bool
    worker: str


def read_settings(arguments: SettingsArgs) -> Settings:
    """Return the settings that follow from arguments and environment. See `Settings`."""
    return Settings(**arguments)


def _from_environment() -> dict[str, Any]:
    """Return the settings that environment variables have, in upper or lower case."""
    variables = {variable.upper(): value for variable, value in os.environ.items()}
    found = {name: variables.get(_PREFIX + name.upper()) for name in Settings.model_fields}
    return {name: None if value == "forever" else value for name, value in found.items() if value is not None}


def by_queue(text: str) -> dict[str, str | timedelta]:
    """Return the queues and values of "emails:5,reports:forever". A name may contain colons, so the last one counts."""
    found = [each.rpartition(":") for each in text.split(",")]
    return {queue.strip(): _or_forever(value.strip()) for queue, _, value in found}


def _or_forever(text: str) -> str | timedelta:
    return timedelta.max if text == "forever" else text


def _check_queues(queues: Collection[str] | None) -> None:
    """Reject a bare string as an argument: only the environment separates names with commas."""
    try:
        if queues is not None:
            validation.collection(queues, "queues", "names")
    except InvalidArgument as exc:
        raise ConfigurationError(str(exc)) from exc


def with_own_worker_name(settings: Settings) -> Settings:
    """Return the settings for a forked child, with a new worker name unless the user chose one."""
    if "worker" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"worker": _worker_name()})


@cache
def _warn_of_unknown(variable: str) -> None:
    """Warn once about an environment variable that looks like a setting but is none."""
    name = variable.upper().removeprefix(_PREFIX).lower()
    if name not in Settings.model_fields and not variable.upper().startswith(_NOT_OURS):
        logger.warning(
            "the environment variable %s is not a setting: %s",
            variable,
            unknown_setting(name, Settings.model_fields, _PREFIX),
        )


def _problem(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    shown = urls.redacted_repr(error["input"])  # a URL may hold a password
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = unknown_setting(name, Settings.model_fields)
    return f"{name} (or TALLYSTICK_{name.upper()}) is {shown}: {message}"
