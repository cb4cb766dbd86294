"""What a `mongodb://...` URL says: which server, database and collections, and how to use them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri
from tallystick import BackendUrl, ConfigurationError, urls

DATABASE = "tallystick"
"""The database, where the URL names none."""

NAME_LENGTH = 60
"""The most characters of a name, so that a namespace behind it is a name for MongoDB too."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_CLIENT_DEFAULTS: Mapping[str, Any] = {
    "appname": "tallystick",
    "w": "majority",
    "journal": True,
    "wTimeoutMS": 30_000,
    "socketTimeoutMS": 30_000,
    "waitQueueTimeoutMS": 10_000,
}
"""What the driver is told, where the URL does not say. No call waits for ever for a server that went silent."""

_SEARCH, _ELECTION = 5_000, 20_000
"""How many milliseconds a call looks for its server; and for the primary of several, whose election takes some ten."""


def _name(name: str) -> str:
    """Return a database's or collection's name as it is; raise `ValueError` for one that needs care."""
    if not _NAME.fullmatch(name) or len(name) > NAME_LENGTH or name == "system":
        raise ValueError(
            f"a name has 1 to {NAME_LENGTH} characters of A-Z, a-z, 0-9, underscore and hyphen, begins with a letter "
            "or underscore, and is not system"
        )
    return name


class Options(BaseModel):
    """The part of the URL's query that is ours; the rest is the driver's.

    Args:
        collection: What the names of the store's collections begin with: `tallystick.jobs`, `tallystick.queues`, ...
        notify: Whether to learn of new jobs by a change stream, where the deployment has them. Off: workers look for
            jobs at their `poll` interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str, AfterValidator(_name)] = "tallystick"
    notify: bool = True


@dataclass(frozen=True)
class Location:
    """One store of a deployment, and how to reach it. `uri` is the driver's, and may hold a password."""

    shown: str
    uri: str = field(repr=False)
    arguments: Mapping[str, Any]
    database: str
    options: Options
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL; ask no server, and no name service.

        Raises:
            ConfigurationError: it is malformed, or has an option or a name that cannot be.
        """
        parsed = BackendUrl.parse(url)
        ours, theirs = _divided(parsed.query)
        options = BackendUrl(parsed.scheme, parsed.host, parsed.path, ours).options(Options)
        head, _, _ = url.partition("?")
        uri = f"{head}?{urlencode(theirs, quote_via=quote)}" if theirs else head
        given = _driver_options(head, theirs, url)
        if given.get("w") == 0:
            raise ConfigurationError("w=0 asks for no answer to writes, and a claim needs one; leave w away")
        try:
            database = _name(parsed.path.removeprefix("/") or DATABASE)
        except ValueError as exc:
            raise ConfigurationError(f"{urls.redact(url)!r} cannot be used: {exc}") from exc
        has_elections = "replicaSet" in given or "," in parsed.host or parsed.scheme.endswith("+srv")
        defaults = {**_CLIENT_DEFAULTS, "serverSelectionTimeoutMS": _ELECTION if has_elections else _SEARCH}
        arguments = {name: value for name, value in defaults.items() if name not in given}
        return cls(urls.redact(url), uri, arguments, database, options, urls.secrets(url))

    def named(self, what: str) -> str:
        """Return the name of one of the store's collections."""
        return f"{self.options.collection}.{what}"


def _divided(query: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the options that are ours, and the driver's."""
    ours = {name: value for name, value in query.items() if name in Options.model_fields}
    return ours, {name: value for name, value in query.items() if name not in ours}


def _driver_options(head: str, theirs: Mapping[str, str], url: str) -> Mapping[str, Any]:
    """Return what the driver reads in its part of a URL, without what it would ask a name service for."""
    plain = head.replace("mongodb+srv://", "mongodb://", 1)
    known = urlencode({name: value for name, value in theirs.items() if not name.startswith("srv")}, quote_via=quote)
    try:
        options: Mapping[str, Any] = parse_uri(f"{plain}?{known}" if known else plain)["options"]
    except (PyMongoError, ValueError, OSError) as exc:
        why = urls.scrub(str(exc).replace(head, urls.redact(head)), urls.secrets(url))
        raise ConfigurationError(
            f"{urls.redact(url)!r} cannot be used: {why}. Options of Tallystick are {', '.join(Options.model_fields)}; "
            "all others are the driver's, e.g. replicaSet"
        ) from None  # the cause's text may show a password
    return options


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of collections beside these: `tallystick` becomes `tallystick_namespace`."""
    collection = f"{Location.parse(url).options.collection}_{urls.namespace(namespace)}"
    head, _, query = url.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "collection"]
    beside = f"{head}?{urlencode([*kept, ('collection', collection)], quote_via=quote)}"
    Location.parse(beside)
    return beside
