"""Parse a `sqlite:///...` URL: its file and options."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from tallystick import BackendUrl, ConfigurationError, urls
from tallystick.backends.locations import Seconds

_BusyTimeout = Annotated[Seconds, Field(ge=timedelta(0), le=timedelta(days=1))]


class Options(BaseModel):
    """The options in the URL's query.

    Args:
        synchronous: When SQLite waits for the disk. FULL: at each commit, so that a commit survives a power cut. EXTRA:
            also for the directory. NORMAL: only at checkpoints, so a power cut may undo the latest commits.
        busy_timeout: How long to wait for another connection's lock: seconds, or an ISO 8601 duration such as PT30S.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    synchronous: Literal["NORMAL", "FULL", "EXTRA"] = "FULL"
    busy_timeout: _BusyTimeout = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Location:
    """A parsed URL: one file and options."""

    url: str = field(repr=False)
    path: Path
    options: Options

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL, without opening the file.

        Raises:
            ConfigurationError: the URL names no file, or has an unknown option.
        """
        parsed = BackendUrl.parse(url)
        options = parsed.options(Options)
        if parsed.host:
            advice = "" if re.search("[@:]", parsed.host) else f"write sqlite:///{parsed.host}{parsed.path}; "
            raise ConfigurationError(
                f"{urls.redact(url)!r} has a host, but a file has none; {advice}a relative path begins after three "
                "slashes (sqlite:///jobs.db), an absolute path after four (sqlite:////var/lib/jobs.db)"
            )
        name = parsed.path.removeprefix("/")
        if not name or name.endswith("/") or "\0" in name:
            raise ConfigurationError(f"{urls.redact(url)!r} names no file; write e.g. sqlite:///jobs.db")
        if name == ":memory:":
            raise ConfigurationError(
                f"{urls.redact(url)!r} would be a separate database for each connection; write memory:// instead"
            )
        return cls(url, Path(name).absolute(), options)


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of another file in the same directory: `dir/jobs.db` becomes `dir/jobs.namespace.db`."""
    Location.parse(url)
    head, question_mark, query = url.partition("?")
    folder, _, name = head.rpartition("/")
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    return f"{folder}/{stem}.{urls.namespace(namespace)}{dot}{suffix}{question_mark}{query}"
