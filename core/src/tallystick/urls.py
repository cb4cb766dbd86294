"""Reading the URL that selects a backend, alike for every plugin."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BaseModel, ValidationError

from . import url_advice
from .errors import ConfigurationError
from .safe_repr import safe_repr

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
            ConfigurationError: it is not `scheme://...`, is not quoted, has a fragment, or gives an option twice.
        """
        url = check(url)
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
            text = f"bad option for {self.scheme}://: {wrong}. Options are: {allowed}"
            raise ConfigurationError(text) from None  # the cause's text shows the values of all options


def _problem(error: Any) -> str:
    name = error["loc"][0]
    if error["type"] == "extra_forbidden":
        return f"there is no {name}"  # its value may be a misplaced password
    return f"{name}={shown(error['input'])}: {error['msg']}"


def namespace(value: str) -> str:
    """Return a namespace as it is; refuse one that some store could not name a store after."""
    if not _NAMESPACE.fullmatch(value):
        raise ConfigurationError(f"namespace is {value!r}; it must be 1 to 32 characters of a-z, 0-9 and underscore")
    return value


def check(url: object) -> str:
    """Return a URL as it is.

    Raises:
        ConfigurationError: it is no URL, or a character in its user, password or host must be quoted.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"a backend's URL is of type {type(url).__name__}; it must be a str")
    scheme, separator, rest = url.partition("://")
    if not separator or not SCHEME.fullmatch(scheme):
        raise malformed(url)
    authority, end = re.split(r"(?=[/?#]|$)", rest, maxsplit=1)
    if _CONTROL.search(url):
        raise _misquoted(url, "a control character, such as a newline")
    if authority and re.search(r"\s", url):
        raise _misquoted(url, "a space; write %20")
    if authority and _BARE_PERCENT.search(url):
        raise _misquoted(url, "a % that begins no %XX; write %25")
    if authority.count("@") > 1 or (":" in authority and "@" in end):
        raise _misquoted(url, "an @ beside the one that ends the password; write %40")
    host = authority.rpartition("@")[2]
    if ("[" in host) != ("]" in host):
        raise malformed(url)
    if host != ":memory:" and _BAD_PORT.search(host.rpartition("]")[2]):
        raise _misquoted(url, "a port that is no number")
    return url


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_PORT = re.compile(r":(?!\d*(?:,|$))[^,]*")


def _misquoted(url: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{redact(url)!r} has {what}. In a user's name or password write %25 for %, %40 for @, %3A for :, %2F for /, "
        "%3F for ?, %23 for # and %20 for a space: urllib.parse.quote(password, safe='') does it"
    )


def malformed(url: str) -> ConfigurationError:
    """Return the error for what is no backend URL."""
    return ConfigurationError(f"{redact(url)!r} is not a backend URL; {url_advice.for_text(url)}")


def redact(url: object) -> str:
    """Return a URL that can be shown: without user and password, and without its query, which may hold one too.

    It hides too much rather than too little: with an unquoted `/`, `?` or `#` in its password a URL is a wrong one.
    """
    scheme, separator, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    if not separator or not SCHEME.fullmatch(scheme):
        return "..."
    hidden, at, rest = rest.rpartition("@")
    if re.search(r"[?#]", hidden):  # the @ may be in an option
        return f"{scheme}://***"
    path, query, _ = rest.partition("?")
    authority, slash, path = path.partition("#")[0].partition("/")
    host, bracket, port = authority.rpartition("]")
    shown_port = _BAD_PORT.sub(":***", port)  # it may be a password without its @
    return f"{scheme}://{'***@' if at else ''}{host}{bracket}{shown_port}{slash}{path}{'?***' if query else ''}"


def redact_all(text: str) -> str:
    """Return a text in which each URL can be shown."""
    return _URL.sub(lambda found: redact(found.group()), text)


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+")


def shown(value: object) -> str:
    """Return the repr of a value; of one that may hold a URL only what can be shown."""
    text = safe_repr(value)
    if not re.search("://|@|password", text, re.IGNORECASE):
        return text
    return repr(redact(value)) if isinstance(value, str) and "://" in value else f"a {type(value).__name__} with a URL"


_SECRET = re.compile("pass|secret|token|key|credential|authmechanismproperties", re.IGNORECASE)
"""The names of options whose values are not shown."""

_SHORT = 4
"""The length below which a secret is only looked for as a whole word."""


def secrets(url: str) -> tuple[str, ...]:
    """Return what must not be shown of a URL, as written and unquoted, the longest first."""
    parts = urlsplit(url)
    found = [parts.password or ""]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET.search(name):
            found += [value, *re.split("[,:]", value)] if name.lower() == "authmechanismproperties" else [value]
    ways = {way for secret in found for way in (secret, unquote(secret), quote(secret, safe="")) if way}
    return tuple(sorted(ways, key=len, reverse=True))


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return a text, such as that of a driver's error, without secrets."""
    for secret in secrets:
        whole = (r"\b", r"\b") if len(secret) < _SHORT and secret.isalnum() else ("", "")
        text = re.sub(re.escape(secret).join(whole), "***", text)
    return text


def cause(exc: BaseException, secrets: Iterable[str]) -> BaseException | None:
    """Return an error as the cause of another one; None where a traceback would show a secret by it."""
    secrets, link = tuple(secrets), exc
    seen: list[BaseException] = []
    while link not in seen:
        if scrub(str(link), secrets) != str(link):
            return None
        seen.append(link)
        link = link.__cause__ or link.__context__ or link
    return exc
