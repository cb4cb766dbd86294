"""Parse and check the URL that selects a backend, and redact the secrets in it. `plugins` reports an unknown scheme."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .errors import ConfigurationError
from .messages import url_advice
from .messages.advice import near
from .messages.safe_repr import safe_repr

if TYPE_CHECKING:
    from pydantic import BaseModel

OptionsT = TypeVar("OptionsT", bound="BaseModel")

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

_NAMESPACE = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class BackendUrl:
    """The parts of a backend URL. `host` and `path` are unquoted; `path` keeps its leading slash."""

    scheme: str
    host: str
    path: str
    query: Mapping[str, str]

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a backend URL.

        Raises:
            ConfigurationError: The URL is not `scheme://...`, is not quoted, has a fragment, or repeats an option.
        """
        url = check(url)
        try:
            parts = urlsplit(url)
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise malformed(url) from None  # the message of the cause may contain a password
        if not parts.scheme or not url[len(parts.scheme) :].startswith("://"):
            raise malformed(url)
        if parts.fragment:
            raise ConfigurationError(f"{redact(url)!r} has a fragment ('#'); write it as %23 if it is part of a name")
        query = dict(pairs)
        if len(query) < len(pairs):
            raise ConfigurationError(
                f"{redact(url)!r} repeats an option; its options are {', '.join(k for k, _ in pairs)}"
            )
        return cls(parts.scheme, unquote(parts.netloc), unquote(parts.path), query)

    def options(self, model: type[OptionsT]) -> OptionsT:
        """Parse the query as the options of a backend: a pydantic model that forbids extra fields.

        Raises:
            ConfigurationError: An option is unknown or invalid. The message lists the known options.
        """
        from pydantic import ValidationError  # noqa: PLC0415  # loaded only when a store is opened

        try:
            return model.model_validate(self.query)
        except ValidationError as exc:
            names = option_names(model)
            wrong = "; ".join(_problem(error, names) for error in exc.errors(include_url=False))
            allowed = ", ".join(names) or "none"
            text = f"bad option for {self.scheme}://: {wrong}. Options are: {allowed}"
            raise ConfigurationError(text) from None  # the message of the cause shows the values of all options


def option_names(model: "type[BaseModel]") -> tuple[str, ...]:
    """Return the names of a backend's options, as users write them in a URL."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _problem(error: Any, names: Collection[str]) -> str:
    name = error["loc"][0]
    if error["type"] == "extra_forbidden":
        advice = near(name, names).rstrip()  # without the value, which may be a misplaced password
        return f"unknown option {name}{advice and f' ({advice})'}"
    return f"{name}={redacted_repr(error['input'])}: {error['msg']}"


def namespace(value: str) -> str:
    """Return a namespace. Reject one that is not valid as part of a name in every store."""
    if not _NAMESPACE.fullmatch(value):
        raise ConfigurationError(f"namespace is {value!r}; it must be 1 to 32 characters of a-z, 0-9 and underscore")
    return value


def check(url: object) -> str:
    """Return a backend URL. Reject a malformed one.

    Raises:
        ConfigurationError: This is not a URL, or a character in its user, password or host must be quoted.
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
        raise _misquoted(url, "a % without two hex digits after it; write %25")
    if authority.count("@") > 1 or (":" in authority and "@" in end):
        raise _misquoted(url, "more than one @; write %40 for an @ in the user name or password")
    host = authority.rpartition("@")[2]
    if ("[" in host) != ("]" in host):
        raise malformed(url)
    if host != ":memory:" and _BAD_PORT.search(host.rpartition("]")[2]):
        raise _misquoted(url, "a port that is not a number")
    return url


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_PORT = re.compile(r":(?!\d*(?:,|$))[^,]*")


def _misquoted(url: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{redact(url)!r} has {what}. In a user name or password, write %25 for %, %40 for @, %3A for :, %2F for /, "
        "%3F for ?, %23 for # and %20 for a space; urllib.parse.quote(password, safe='') does this"
    )


def malformed(url: str) -> ConfigurationError:
    """Return the error for a malformed backend URL. Its message advises what to write."""
    return ConfigurationError(f"{redact(url)!r} is not a backend URL; {url_advice.for_text(url)}")


def redact(url: object) -> str:
    """Return a URL without its user, password and query, for messages and logs. A query may contain a password too.

    An unquoted `/`, `?` or `#` in a password makes the URL ambiguous. `redact` then hides too much rather than too
    little.
    """
    scheme, separator, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    if not separator or not SCHEME.fullmatch(scheme):
        return "..."
    hidden, at, rest = rest.rpartition("@")
    if re.search(r"[?#]", hidden):  # the @ may belong to an option
        return f"{scheme}://***"
    path, query, _ = rest.partition("?")
    authority, slash, path = path.partition("#")[0].partition("/")
    host, bracket, port = authority.rpartition("]")
    shown_port = _BAD_PORT.sub(":***", port)  # a password without its @ looks like a port
    return f"{scheme}://{'***@' if at else ''}{host}{bracket}{shown_port}{slash}{path}{'?***' if query else ''}"


def redact_all(text: str) -> str:
    """Redact each URL in a text."""
    return _URL.sub(lambda found: redact(found.group()), text)


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+")


def redacted_repr(value: object) -> str:
    """Return the repr of a value, redacted if it may contain a URL or a password."""
    text = safe_repr(value)
    if not re.search("://|@|password", text, re.IGNORECASE):
        return text
    return repr(redact(value)) if isinstance(value, str) and "://" in value else f"a {type(value).__name__} with a URL"


_SECRET = re.compile("pass|secret|token|key|credential|authmechanismproperties", re.IGNORECASE)
"""Matches the names of options with secret values."""

_SHORT = 4
"""`scrub` replaces a secret shorter than this only where it is a whole word."""


def secrets(url: str) -> tuple[str, ...]:
    """Return the secrets in a URL, as written, unquoted and quoted, the longest first."""
    parts = urlsplit(url)
    found = [parts.password or ""]
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET.search(name):
            found += [value, *re.split("[,:]", value)] if name.lower() == "authmechanismproperties" else [value]
    ways = {way for secret in found for way in (secret, unquote(secret), quote(secret, safe="")) if way}
    return tuple(sorted(ways, key=len, reverse=True))


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets in a text, such as a driver's error message."""
    for secret in secrets:
        whole = (r"\b", r"\b") if len(secret) < _SHORT and secret.isalnum() else ("", "")
        text = re.sub(re.escape(secret).join(whole), "***", text)
    return text


def cause(exc: BaseException, secrets: Iterable[str]) -> BaseException | None:
    """Return an error to raise another one `from`, or None if its traceback would show a secret."""
    secrets, link = tuple(secrets), exc
    seen: list[BaseException] = []
    while link not in seen:
        if scrub(str(link), secrets) != str(link):
            return None
        seen.append(link)
        link = link.__cause__ or link.__context__ or link
    return exc
