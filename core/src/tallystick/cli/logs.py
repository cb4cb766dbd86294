"""Configure the log of a worker: text lines for people, or one JSON object per line for log collectors."""

import json
import logging
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from ..messages.tracebacks import format_traceback
from .show import printable

FIELDS = ("job_id", "kind", "queue", "attempt", "duration", "error_type")
"""The extra fields of the runner's log records."""

_STANDARD = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", *FIELDS))
"""The attributes of log records that are no extra fields of the application."""


class Level(StrEnum):
    """The minimum level of logged records."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Format(StrEnum):
    """The format of log records."""

    TEXT = "text"
    JSON = "json"


class _Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802  # the name is logging's
        """Return the text of `logging`, which this formats faster."""
        _, exc, traceback = ei
        return super().formatException(ei) if exc is None else format_traceback(exc, traceback).removesuffix("\n")


class TextFormatter(_Formatter):
    """Formats time, level, logger and message, then the extra fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines, with control characters escaped."""
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        """Return the line without a traceback."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return f"{super().formatMessage(record)}{fields}"


class JsonFormatter(_Formatter):
    """Formats an object with time, level, logger, message, all extra fields and any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as one line of ASCII."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD and name not in line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        elif record.exc_text:  # from a child process
            line["traceback"] = record.exc_text
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
    return {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in found.items()}


def configure(level: Level, format: Format) -> None:
    """Log to stderr only."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if format is Format.JSON else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
