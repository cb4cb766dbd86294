"""The settings of a runner: by argument, else from the environment (`TALLYSTICK_...`), else the default."""

import secrets
import socket
from datetime import timedelta
from os import getpid
from typing import Annotated, Any, TypedDict

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from . import guards
from .errors import ConfigurationError
from .saferepr import safe_repr


def _seconds(value: object) -> object:
    """Read a number of seconds, as an environment variable has it; leave ISO 8601 and all else to pydantic."""
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        return value


Positive = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0))]
NotNegative = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]


def _worker_name() -> str:
    return f"{socket.gethostname()[:200]}-{getpid()}-{secrets.token_hex(4)}"


class Settings(BaseSettings):
    """What can be set.

    Lengths of time are timedeltas; in the environment seconds or ISO 8601 ("PT30S"), and for `keep_...` also "forever".

    Args:
        backend: The URL of the store.
        queues: Which queues to work; None is those of the registered jobs. In the environment, names with commas.
        concurrency: How many sync handlers work at once (threads), and how many async ones (tasks).
        batch: The most jobs of one claim, and of one settling.
        lease: For how long a claim holds a job unless extended; a killed worker's jobs are free again after it.
        poll: The longest time without a claim while idle.
        grace: How long `stop` lets jobs finish before it gives them back.
        maintenance: How often expired leases are rescued, and old records purged.
        keep_completed: How long the records of completed jobs are kept; None is for ever.
        keep_discarded: The same for discarded ones.
        keep_cancelled: The same for cancelled ones.
        auto_setup: Whether the runner sets the store up when it opens it.
        worker: This runner's name, for people; by default unique to the process and its start.
    """

    model_config = SettingsConfigDict(
        env_prefix="TALLYSTICK_", env_parse_none_str="forever", extra="forbid", frozen=True
    )

    backend: str = Field(default="memory://", repr=False)  # it may hold a password
    queues: Annotated[tuple[str, ...] | None, NoDecode] = None
    concurrency: int = Field(default=10, ge=1, le=10_000)
    batch: int = Field(default=500, ge=1, le=10_000)
    lease: Positive = timedelta(seconds=30)
    poll: Positive = timedelta(seconds=1)
    grace: NotNegative = timedelta(seconds=30)
    maintenance: Positive = timedelta(seconds=15)
    keep_completed: NotNegative | None = timedelta(hours=24)
    keep_discarded: NotNegative | None = timedelta(days=7)
    keep_cancelled: NotNegative | None = timedelta(days=7)
    auto_setup: bool = True
    worker: str = Field(default_factory=_worker_name)

    @field_validator("queues", mode="before")
    @classmethod
    def _split_queues(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("queues")
    @classmethod
    def _check_queues(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else guards.names(value, "queues")

    @field_validator("worker")
    @classmethod
    def _check_worker(cls, value: str) -> str:
        return guards.name(value, "worker")


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
    """Return the settings that result from arguments and environment.

    Raises:
        ConfigurationError: one has a value that cannot work, or does not exist.
    """
    try:
        return Settings(**arguments)  # type: ignore[arg-type]  # pydantic checks and converts
    except ValidationError as exc:
        raise ConfigurationError("; ".join(map(_problem, exc.errors(include_url=False)))) from exc


def _problem(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    return f"{name} (or TALLYSTICK_{name.upper()}) is {safe_repr(error['input'])}: {error['msg']}"
