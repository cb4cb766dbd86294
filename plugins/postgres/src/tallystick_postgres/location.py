"""Parse a `postgresql://...` URL: its server, schema and options."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Self

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from tallystick import ConfigurationError, urls
from tallystick.backends.locations import Seconds, identifier, misspelt, split, with_option, without_secrets

from .queries import CHANNEL, Queries

SCHEMA_LENGTH = 50
"""The longest schema name, in characters: the channel named after it must fit PostgreSQL's limit on names."""

_CONNECTION_DEFAULTS = {
    "application_name": "tallystick",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""libpq options that the URL can override. With these keepalives libpq detects a dead peer within a minute."""


def schema_name(name: str) -> str:
    """Return the name of a schema unchanged; raise `ValueError` unless it is safe to quote in a statement."""
    if name.startswith("pg_"):
        raise ValueError("a name that begins with pg_ is reserved by PostgreSQL")
    return identifier(name, SCHEMA_LENGTH)


_Wait = Annotated[Seconds, Field(gt=timedelta(0), le=timedelta(days=1))]


class Options(BaseModel):
    """The options of Tallystick in the URL's query; the other options are libpq's.

    Args:
        schema_: The schema that holds the tables.
        pool_size: The most connections that one backend opens, plus one that listens for new jobs.
        pool_timeout: How long a call waits for a free connection: seconds, or an ISO 8601 duration such as PT30S.
        timeout: How long a call waits for the reply to a statement, even if the network has gone silent.
        notify: Whether to listen for new jobs on a separate connection. If false, workers find the jobs of other
            processes at their `poll` interval. Behind PgBouncer in transaction mode it must be false.
        search: Whether `setup` creates (true) or drops (false) the optional indexes for searches. By default it leaves
            them as they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Annotated[str, AfterValidator(schema_name), Field(alias="schema")] = "tallystick"
    pool_size: Annotated[int, Field(ge=1, le=1_000)] = 5
    pool_timeout: _Wait = timedelta(seconds=10)
    timeout: _Wait = timedelta(seconds=30)
    notify: bool = True
    search: bool | None = None


@dataclass(frozen=True)
class Location:
    """A parsed URL: one schema of a server, and options. `conninfo` is for libpq, and may contain a password."""

    shown: str
    conninfo: str = field(repr=False)
    options: Options
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL, without connecting.

        Raises:
            ConfigurationError: the URL is malformed, or has an unknown option.
        """
        parts = split(url, Options)
        try:
            from_url = conninfo_to_dict(parts.driver_url)
        except ProgrammingError as exc:
            ours = ", ".join(urls.option_names(Options))
            raise ConfigurationError(
                f"{urls.redact(url)!r} is not a valid URL: {without_secrets(str(exc).strip(), url)}; "
                f"{misspelt(parts.driver_options, Options)}Tallystick's options are {ours}; all others must be options "
                "of libpq, e.g. sslmode"
            ) from None  # the cause's message may contain a password
        if not all(port.isdigit() for port in str(from_url.get("port") or "0").split(",")):
            raise ConfigurationError(
                f"{urls.redact(url)!r} is not a valid URL: its port is not a number; write postgresql://host:5432/db"
            )
        conninfo = make_conninfo("", **{**_CONNECTION_DEFAULTS, **from_url})
        return cls(urls.redact(url), conninfo, parts.options, urls.secrets(url))

    @property
    def schema(self) -> str:
        """The name of the schema."""
        return self.options.schema_

    @property
    def channel(self) -> str:
        """The name of the LISTEN channel that wakes waiting clients."""
        return CHANNEL.replace("{schema}", self.schema)

    @cached_property
    def queries(self) -> Queries:
        """The statements for this schema."""
        return Queries(self.schema)


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of another schema of this database: `tallystick` becomes `tallystick_namespace`."""
    other = with_option(url, "schema", f"{Location.parse(url).schema}_{urls.namespace(namespace)}")
    Location.parse(other)
    return other
