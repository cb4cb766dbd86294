"""What a `postgresql://...` URL says: which server and schema, and how to use them."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Self
from urllib.parse import parse_qsl, quote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from tallystick import BackendUrl, ConfigurationError, urls

from .queries import CHANNEL, Queries

SCHEMA_LENGTH = 50
"""The most characters of a schema's name, so that the channel named after it is a name for PostgreSQL too."""

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_CONNECTION_DEFAULTS = {
    "application_name": "tallystick",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""What libpq is told, where the URL does not say. A dead peer is noticed within a minute."""


def schema_name(name: str) -> str:
    """Return a schema's name as it is; raise `ValueError` for one that needs care in a statement."""
    if not _SCHEMA.fullmatch(name) or len(name) > SCHEMA_LENGTH or name.startswith("pg_"):
        raise ValueError(
            f"a schema's name has 1 to {SCHEMA_LENGTH} characters of A-Z, a-z, 0-9, underscore and hyphen, begins with "
            "a letter or underscore, and not with pg_"
        )
    return name


def _seconds(value: object) -> object:
    """Read what looks like a number as seconds, which pydantic does for numbers and not for text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


_Wait = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0), le=timedelta(days=1))]


class Options(BaseModel):
    """The part of the URL's query that is ours; the rest is libpq's.

    Args:
        schema_: The schema that holds the tables.
        pool_size: The most connections of one backend, beside the one that listens.
        pool_timeout: How long a call may wait for a connection: seconds, or an ISO 8601 duration such as PT30S.
        timeout: How long a statement may take, the network's silence included.
        notify: Whether to listen for new jobs on a connection of its own, and to tell others of them. Off: workers look
            for jobs at their `poll` interval, as they must behind a PgBouncer in transaction mode.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Annotated[str, AfterValidator(schema_name), Field(alias="schema")] = "tallystick"
    pool_size: Annotated[int, Field(ge=1, le=1_000)] = 5
    pool_timeout: _Wait = timedelta(seconds=10)
    timeout: _Wait = timedelta(seconds=30)
    notify: bool = True


_OURS = tuple(field.alias or name for name, field in Options.model_fields.items())


@dataclass(frozen=True)
class Location:
    """One schema of a server, and how to use it. `conninfo` is libpq's, and may hold a password."""

    shown: str
    conninfo: str = field(repr=False)
    options: Options
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL; ask no server.

        Raises:
            ConfigurationError: it is malformed, or has an option that there is not.
        """
        parsed = BackendUrl.parse(url)
        head, _, _ = url.partition("?")
        ours = {name: value for name, value in parsed.query.items() if name in _OURS}
        theirs = {name: value for name, value in parsed.query.items() if name not in _OURS}
        options = BackendUrl(parsed.scheme, parsed.host, parsed.path, ours).options(Options)
        try:
            given = conninfo_to_dict(f"{head}?{urlencode(theirs, quote_via=quote)}" if theirs else head)
        except ProgrammingError as exc:
            why = str(exc).strip().replace(url, urls.redact(url)).replace(head, urls.redact(head))
            why = urls.scrub(why, urls.secrets(url))
            raise ConfigurationError(
                f"{urls.redact(url)!r} cannot be used: {why}. Options of Tallystick are {', '.join(_OURS)}; all others "
                "are libpq's, e.g. sslmode"
            ) from None  # the cause's text may show a password
        if not all(port.isdigit() for port in str(given.get("port") or "0").split(",")):
            raise ConfigurationError(f"{urls.redact(url)!r} cannot be used: its port is no number")
        conninfo = make_conninfo("", **{**_CONNECTION_DEFAULTS, **given})
        return cls(urls.redact(url), conninfo, options, urls.secrets(url))

    @property
    def schema(self) -> str:
        """The schema's name."""
        return self.options.schema_

    @property
    def channel(self) -> str:
        """The name of the channel on which those who wait are woken."""
        return CHANNEL.replace("{schema}", self.schema)

    @cached_property
    def queries(self) -> Queries:
        """The statements on this schema."""
        return Queries(self.schema)


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of a schema beside this one: `tallystick` becomes `tallystick_namespace`."""
    schema = f"{Location.parse(url).schema}_{urls.namespace(namespace)}"
    head, _, query = url.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "schema"]
    beside = f"{head}?{urlencode([*kept, ('schema', schema)], quote_via=quote)}"
    Location.parse(beside)
    return beside
