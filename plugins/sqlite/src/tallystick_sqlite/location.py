"""What a `sqlite:///...` URL says: which file, and how to open it."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from tallystick import BackendUrl, ConfigurationError, urls


def _seconds(value: object) -> object:
    """Read what looks like a number as seconds, which pydantic does for numbers and not for text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


_BusyTimeout = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0), le=timedelta(days=1))]


class Options(BaseModel):
    """The query of the URL.

    Args:
        synchronous: When SQLite waits for the disk. FULL: at each commit, so that a commit survives a power cut. EXTRA:
            also for the directory. NORMAL: at checkpoints only; a power cut may undo the latest commits.
        busy_timeout: How long to wait for a lock that another holds: seconds, or an ISO 8601 duration such as PT30S.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    synchronous: Literal["NORMAL", "FULL", "EXTRA"] = "FULL"
    busy_timeout: _BusyTimeout = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Location:
    """One file and how to open it."""

    url: str = field(repr=False)
    path: Path
    options: Options

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL; touch no file.

        Raises:
            ConfigurationError: it names no file, or has an option that there is not.
        """
        parsed = BackendUrl.parse(url)
        options = parsed.options(Options)
        if parsed.host:
            advice = "" if re.search("[@:]", parsed.host) else f"write sqlite:///{parsed.host}{parsed.path}; "
            raise ConfigurationError(
                f"{urls.redact(url)!r} has a host, and a file has none; {advice}three slashes begin a relative path, "
                "sqlite:///jobs.db, and four an absolute one, sqlite:////var/lib/jobs.db"
            )
        name = parsed.path.removeprefix("/")
        if not name or name.endswith("/") or "\0" in name:
            raise ConfigurationError(f"{urls.redact(url)!r} names no file; write e.g. sqlite:///jobs.db")
        if name == ":memory:":
            raise ConfigurationError(f"{urls.redact(url)!r} would be one for each connection; write memory://")
        return cls(url, Path(name).absolute(), options)


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of a file beside this one: `dir/jobs.db` becomes `dir/jobs.namespace.db`."""
    Location.parse(url)
    head, question_mark, query = url.partition("?")
    folder, _, name = head.rpartition("/")
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    return f"{folder}/{stem}.{urls.namespace(namespace)}{dot}{suffix}{question_mark}{query}"
