"""Parse a `sqlite:///...` URL: its file and options."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from tallystick import BackendUrl, ConfigurationError, urls
from tallystick.backends.locations import Seconds

from .queries import Queries

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,31}")

_BusyTimeout = Annotated[Seconds, Field(ge=timedelta(0), le=timedelta(days=1))]


def table_prefix(name: str) -> str:
    """Return a prefix of tables unchanged; raise `ValueError` unless it is safe in a statement."""
    if not _PREFIX.fullmatch(name) or f"{name}_".startswith("sqlite_"):
        raise ValueError(
            "a prefix must have 1 to 32 characters of a-z, 0-9 and underscore, begin with a letter, and not begin with "
            "sqlite_"
        )
    return name


class Options(BaseModel):
    """The options in the URL's query.

    Args:
        prefix: The prefix of the tables: `prefix=mail` names them `mail_jobs`, `mail_queues` and so on.
        journal_mode: The journal mode that `setup` switches the file to. By default, a file that `setup` creates has a
            write-ahead log (wal), and a file that exists keeps its mode.
        synchronous: When SQLite waits for the disk. EXTRA: at each commit, so that a commit survives a power cut. FULL:
            without a write-ahead log, a power cut may undo the latest commit. NORMAL: it may undo several.
        search: Whether `setup` creates (true) or drops (false) the optional indexes for searches and the ledger of
            counts. By default it leaves them as they are.
        busy_timeout: How long to wait for another connection's lock: seconds, or an ISO 8601 duration such as PT30S.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: Annotated[str, AfterValidator(table_prefix)] = "tallystick"
    journal_mode: Literal["wal", "delete"] | None = None
    synchronous: Literal["NORMAL", "FULL", "EXTRA"] = "EXTRA"
    search: bool | None = None
    busy_timeout: _BusyTimeout = timedelta(seconds=30)


@dataclass(frozen=True)
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

    @cached_property
    def queries(self) -> Queries:
        """The statements for the tables of this store."""
        return Queries(self.options.prefix)


def namespaced(url: str, namespace: str) -> str:
    """Return the URL of another file in the same directory: `dir/jobs.db` becomes `dir/jobs.namespace.db`."""
    Location.parse(url)
    head, question_mark, query = url.partition("?")
    folder, _, name = head.rpartition("/")
    stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
    return f"{folder}/{stem}.{urls.namespace(namespace)}{dot}{suffix}{question_mark}{query}"
