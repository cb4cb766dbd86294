"""Parse a `mongodb://...` URL into the server, database, collections and options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri
from tallystick import BackendUrl, ConfigurationError, urls
from tallystick.backends import locations

DATABASE = "tallystick"
"""The default database."""

NAME_LENGTH = 60
"""The maximum length of a name in characters. It leaves room for a namespace within MongoDB's own limit."""

_CLIENT_DEFAULTS: Mapping[str, Any] = {
    "appname": "tallystick",
    "w": "majority",
    "journal": True,
    "wTimeoutMS": 30_000,
    "socketTimeoutMS": 30_000,
    "waitQueueTimeoutMS": 10_000,
}
"""The driver's options, unless the URL sets them. The timeouts end calls to a server that does not respond."""

_SEARCH, _ELECTION = 5_000, 20_000
"""Milliseconds of server selection: for one server, and for a primary, whose election takes about ten seconds."""


def _name(name: str) -> str:
    """Return a valid database or collection name unchanged; raise `ValueError` for any other."""
    if name == "system":
        raise ValueError("this name is reserved by MongoDB; use characters of A-Z, a-z, 0-9, underscore and hyphen")
    return locations.identifier(name, NAME_LENGTH)


class Options(BaseModel):
    """Tallystick's options in the URL's query; all others are the driver's.

    Args:
        collection: The prefix of the collections' names: `tallystick.jobs`, `tallystick.queues`, ...
        notify: Whether to learn of new jobs through a change stream, if the deployment supports it. If false, workers
            poll at their `poll` interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: Annotated[str, AfterValidator(_name)] = "tallystick"
    notify: bool = True


@dataclass(frozen=True)
class Location:
    """One store of a deployment and how to reach it. `uri` is for the driver and may contain a password."""

    shown: str
    uri: str = field(repr=False)
    arguments: Mapping[str, Any]
    database: str
    options: Options
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL without contacting a server or a name service.

        Raises:
            ConfigurationError: The URL is malformed, or has an invalid option or name.
        """
        parsed = BackendUrl.parse(url)
        split = locations.split(url, Options)
        given = _driver_options(split, url)
        if given.get("w") == 0:
            raise ConfigurationError("w=0 disables replies to writes, and a claim needs them; remove w from the URL")
        try:
            database = _name(parsed.path.removeprefix("/") or DATABASE)
        except ValueError as exc:
            raise ConfigurationError(f"{urls.redact(url)!r} cannot be used: {exc}") from exc
        has_elections = "replicaSet" in given or "," in parsed.host or parsed.scheme.endswith("+srv")
        defaults = {**_CLIENT_DEFAULTS, "serverSelectionTimeoutMS": _ELECTION if has_elections else _SEARCH}
        arguments = {name: value for name, value in defaults.items() if name not in given}
        return cls(urls.redact(url), split.driver_url, arguments, database, split.options, urls.secrets(url))

    def named(self, what: str) -> str:
        """Return the name of one of the store's collections."""
        return f"{self.options.collection}.{what}"


def _driver_options(split: locations.Split[Options], url: str) -> Mapping[str, Any]:
    """Return the options that the driver reads from its part of a URL, without a name service lookup."""
    plain = split.head.replace("mongodb+srv://", "mongodb://", 1)
    known = {name: value for name, value in split.driver_options.items() if not name.startswith("srv")}
    try:
        options: Mapping[str, Any] = parse_uri(locations.with_query(plain, known))["options"]
    except (PyMongoError, ValueError, OSError) as exc:
        raise ConfigurationError(
            f"{urls.redact(url)!r} cannot be used: {locations.without_secrets(str(exc), url)}; "
            f"{locations.misspelt(split.driver_options, Options)}Tallystick's options are "
            f"{', '.join(Options.model_fields)}; all others are the driver's, for example replicaSet"
        ) from None  # the cause may contain a password
    return options


def namespaced(url: str, namespace: str) -> str:
    """Return the URL with the namespace in the collections' prefix: `tallystick` becomes `tallystick_namespace`."""
    collection = f"{Location.parse(url).options.collection}_{urls.namespace(namespace)}"
    new_url = locations.with_option(url, "collection", collection)
    Location.parse(new_url)
    return new_url
