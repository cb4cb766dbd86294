"""The settings of the dashboard: from arguments, else from `TALLYSTICK_DASHBOARD_...`, else the defaults."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from starlette.requests import Request
from tallystick import ConfigurationError

from .permissions import ALL, Permission, User
from .security.cross_origin import check_origin
from .security.hosts import is_loopback

PREFIX = "TALLYSTICK_DASHBOARD_"

MASKED_NAMES = (
    r"passw(or)?d|passphrase|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie|session[-_]?id",
)
"""Fields whose names match are masked by default."""

Authenticate = Callable[[Request], User | Awaitable[User | None] | None]
"""Returns the user of a request, or None for a stranger."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _seconds(value: object) -> object:
    """Return a number of seconds, also one of the environment, as a timedelta. pydantic reads ISO 8601."""
    try:
        return timedelta(seconds=float(value)) if isinstance(value, int | float | str) else value
    except (ValueError, OverflowError):
        return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Interval = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0), le=timedelta(hours=1))]
Timeout = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0), le=timedelta(hours=1))]


class DashboardSettings(BaseSettings):
    """The settings of the dashboard. In the environment, separate several names with commas.

    Args:
        host: The address to listen on. An address off loopback needs authentication.
        port: The port to listen on.
        control_host: The address of the control plane (JSON, health and metrics without pages), if it has its own.
        control_port: The port of the control plane. None serves it on the port of the pages only.
        name: The name of this instance, shown on every page.
        colour: The colour of this instance, as `#rrggbb`, so that production is not mistaken for staging.
        language: `en` or `de`. None follows the browser.
        token: The secret with which users log in, and which programs send as `Authorization: Bearer ...`.
        read_token: A second secret, for users who may only read.
        basic: `user:password` for HTTP Basic authentication.
        authenticate: A function that returns the `User` of a request, or None. The host application's own login.
        read_only: Whether every action is rejected.
        permissions: The actions that users may take: `requeue`, `cancel`, `delete`, `update`, `enqueue`, `queues` and
            `schedules`.
        can_see_payloads: Whether payloads, results, meta and the texts of errors are shown.
        mask: Regular expressions, in which case does not matter. Fields whose names match are masked.
        allowed_hosts: The values of the Host header to accept besides the names of loopback and `host`.
        trusted_origins: Other origins that may send requests, e.g. `https://admin.example.com`.
        interval: How old numbers may become, and how often pages are refreshed.
        timeout: How long a page may wait for the store.
        pages: Whether the pages are served. Without them, the control plane remains.

    Raises:
        ConfigurationError: a setting has an invalid value, or does not exist.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8642, ge=0, le=65_535)
    control_host: str = "127.0.0.1"
    control_port: int | None = Field(default=None, ge=0, le=65_535)
    name: str = Field(default="Tallystick", min_length=1, max_length=60)
    colour: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    language: Literal["en", "de"] | None = None
    token: SecretStr | None = None
    read_token: SecretStr | None = None
    basic: SecretStr | None = None
    authenticate: Authenticate | None = Field(default=None, exclude=True)
    read_only: bool = False
    permissions: Annotated[frozenset[Permission], NoDecode, BeforeValidator(_split)] = ALL
    can_see_payloads: bool = True
    mask: Annotated[tuple[str, ...], NoDecode] = MASKED_NAMES
    allowed_hosts: Names = ()
    trusted_origins: Names = ()
    interval: Interval = timedelta(seconds=5)
    timeout: Timeout = timedelta(seconds=10)
    pages: bool = True

    def __init__(self, /, **arguments: Any) -> None:
        try:
            super().__init__(**arguments)
        except ValidationError as exc:
            problems = "; ".join(map(_problem, exc.errors(include_url=False, include_input=False)))
            raise ConfigurationError(problems) from None  # pydantic's text shows values, which may be passwords

    @field_validator("mask", mode="before")
    @classmethod
    def _one_pattern(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("mask")
    @classmethod
    def _check_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as exc:
                raise ValueError(f"{pattern!r} is not a regular expression: {exc}") from exc
        return value

    @field_validator("trusted_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_origin, value))

    @field_validator("token", "read_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"it must have at least {_SHORTEST_TOKEN} characters, e.g. from `openssl rand -hex 16`")
        return value

    @field_validator("basic")
    @classmethod
    def _check_basic(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[^:]+:.{8,}", value.get_secret_value()):
            raise ValueError("it must be user:password, and the password must have at least 8 characters")
        return value

    @property
    def has_authentication(self) -> bool:
        """Whether users must identify themselves."""
        return any(way is not None for way in (self.token, self.read_token, self.basic, self.authenticate))

    def check_addresses(self) -> None:
        """Reject an address off loopback without authentication."""
        for host in (self.host, self.control_host) if self.control_port is not None else (self.host,):
            if not self.has_authentication and not is_loopback(host):
                raise ConfigurationError(
                    f"the dashboard would be open to everyone who can reach {host}; set a token "
                    f"({PREFIX}TOKEN), basic ({PREFIX}BASIC) or authenticate, or listen on 127.0.0.1"
                )

    def user(self, name: str) -> User:
        """Return a user with the permissions of these settings."""
        permissions = frozenset[Permission]() if self.read_only else self.permissions
        return User(name=name, permissions=permissions, can_see_payloads=self.can_see_payloads)


_SHORTEST_TOKEN = 16


def _problem(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    return f"{name} (or {PREFIX}{name.upper()}): {error['msg'].removeprefix('Value error, ')}"
