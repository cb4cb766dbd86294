"""Reading the URL that selects a backend, alike for every plugin."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ValidationError

from .errors import ConfigurationError
from .saferepr import safe_repr

OptionsT = TypeVar("OptionsT", bound=BaseModel)

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

_NAMESPACE = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class BackendUrl:
    """A backend's URL in its parts. `host` and `path` are unquoted; `path` keeps its leading slash."""

    scheme: str
    host: str
    path: str
    query: Mapping[str, str]

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart.

        Raises:
            ConfigurationError: it is not `scheme://...`, has a fragment, or gives an option twice.
        """
        try:
            parts = urlsplit(url)
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise malformed(url) from None  # the cause's text may show a password
        if not parts.scheme or not url[len(parts.scheme) :].startswith("://"):
            raise malformed(url)
        if parts.fragment:
            raise ConfigurationError(f"{redact(url)!r} has a fragment ('#'); write it as %23 if it is part of a name")
        query = dict(pairs)
        if len(query) < len(pairs):
            raise ConfigurationError(
                f"{redact(url)!r} gives an option twice; options are {', '.join(k for k, _ in pairs)}"
            )
        return cls(parts.scheme, unquote(parts.netloc), unquote(parts.path), query)

    def options(self, model: type[OptionsT]) -> OptionsT:
        """Read the query as a backend's options, a pydantic model that forbids extra fields.

        Raises:
            ConfigurationError: an option is unknown or has a bad value; the message lists those that there are.
        """
        try:
            return model.model_validate(self.query)
        except ValidationError as exc:
            wrong = "; ".join(map(_problem, exc.errors(include_url=False)))
            allowed = ", ".join(model.model_fields) or "none"
            raise ConfigurationError(f"bad option for {self.scheme}://: {wrong}. Options are: {allowed}") from exc


def _problem(error: Any) -> str:
    name = error["loc"][0]
    if error["type"] == "extra_forbidden":
        return f"there is no {name}"  # its value may be a misplaced password
    return f"{name}={safe_repr(error['input'])}: {error['msg']}"


def namespace(value: str) -> str:
    """Return a namespace as it is; refuse one that some store could not name a store after."""
    if not _NAMESPACE.fullmatch(value):
        raise ConfigurationError(f"namespace is {value!r}; it must be 1 to 32 characters of a-z, 0-9 and underscore")
    return value


def malformed(url: str) -> ConfigurationError:
    """Return the error for what is no backend URL."""
    return ConfigurationError(f"{redact(url)!r} is not a backend URL; write scheme://..., e.g. sqlite:///jobs.db")


def redact(url: str) -> str:
    """Return a URL that can be shown: without user and password, and without its query, which may hold one too.

    It hides too much rather than too little: with an unquoted `/`, `?` or `#` in its password a URL is a wrong one.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not SCHEME.fullmatch(scheme):
        return "..."
    _, at, shown = rest.rpartition("@")
    path, query, _ = shown.partition("?")
    return f"{scheme}://{'***@' if at else ''}{path.partition('#')[0]}{'?***' if query else ''}"
