"""Split the URL of a store into the backend's own options and the driver's part, and name neighbour stores."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import BaseModel, BeforeValidator

from .. import urls
from ..messages.advice import near

OptionsT = TypeVar("OptionsT", bound=BaseModel)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def _seconds(value: object) -> object:
    """Convert text that is a number to seconds. Pydantic converts numbers, but not numeric text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Seconds = Annotated[timedelta, BeforeValidator(_seconds)]
"""The type of an option that is a duration: seconds, or an ISO 8601 duration such as PT30S."""


def identifier(name: str, longest: int) -> str:
    """Return the name of a schema or collection unchanged.

    Raises:
        ValueError: The name is not safe in a statement, or has more than `longest` characters.
    """
    if not _IDENTIFIER.fullmatch(name) or len(name) > longest:
        raise ValueError(
            f"a name must have 1 to {longest} characters of A-Z, a-z, 0-9, underscore and hyphen, and begin with a "
            "letter or underscore"
        )
    return name


class Split(NamedTuple, Generic[OptionsT]):
    """A URL in three parts: the options of the backend, the URL without a query, and the options of the driver."""

    options: OptionsT
    head: str
    driver_options: Mapping[str, str]

    @property
    def driver_url(self) -> str:
        """The URL without the options of the backend."""
        return with_query(self.head, self.driver_options)


def split(url: str, model: type[OptionsT]) -> Split[OptionsT]:
    """Split a URL: the fields of `model` are the options of the backend, all others are the driver's.

    Raises:
        ConfigurationError: The URL is malformed, or an option of the backend is invalid.
    """
    parsed = urls.BackendUrl.parse(url)
    names = urls.option_names(model)
    ours = {name: value for name, value in parsed.query.items() if name in names}
    theirs = {name: value for name, value in parsed.query.items() if name not in names}
    options = urls.BackendUrl(parsed.scheme, parsed.host, parsed.path, ours).options(model)
    return Split(options, url.partition("?")[0], theirs)


def misspelt(driver_options: Iterable[str], model: type[BaseModel]) -> str:
    """Return "did you mean 'x'? " for the first option of the driver that resembles one of the backend; else empty."""
    return next(filter(None, (near(name, urls.option_names(model)) for name in driver_options)), "")


def with_query(head: str, options: Mapping[str, str]) -> str:
    """Return a URL without a query, with these options."""
    return f"{head}?{urlencode(options, quote_via=quote)}" if options else head


def with_option(url: str, name: str, value: str) -> str:
    """Return a URL with one option added or replaced. All others stay, as for `namespaced`."""
    head, _, query = url.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != name]
    return f"{head}?{urlencode([*kept, (name, value)], quote_via=quote)}"


def without_secrets(message: str, url: str) -> str:
    """Return a driver's message about a URL, with the URL redacted and its secrets removed."""
    for text in (url, url.partition("?")[0]):
        message = message.replace(text, urls.redact(text))
    return urls.scrub(message, urls.secrets(url))
