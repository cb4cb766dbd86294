"""Format the traceback of a log record faster than `logging` does."""

import logging

from ..interrupts import from_signal
from .tracebacks import format_traceback

_STANDARD = ("logging", "logging.handlers")
_NO_FORMATTER = type(None)


def add_text(record: logging.LogRecord) -> bool:
    """Set `exc_text`, so that `logging.Formatter` formats no traceback. Leave it if the application could notice.

    Its filters and formatters may hide or redact `exc_info`, and would not expect a text beside it.
    """
    if record.exc_info and record.exc_info[1] is not None and _is_standard(logging.getLogger(record.name)):
        try:
            record.exc_text = format_traceback(record.exc_info[1], record.exc_info[2]).removesuffix("\n")
        except BaseException as exc:  # the exception's own code raised it, as it will when `logging` formats it
            if from_signal(exc):
                raise
    return True


def _is_standard(logger: logging.Logger) -> bool:
    """Return whether only the standard library's classes see the records of a logger that has `add_text`."""
    found: logging.Logger | None = logger if logger.filters == [add_text] else None
    standard = found is not None
    while found is not None and standard:
        standard = all(map(_is_standard_handler, found.handlers))
        found = found.parent if found.propagate else None
    return standard


def _is_standard_handler(handler: logging.Handler) -> bool:
    return (
        type(handler).__module__ in _STANDARD
        and type(handler.formatter) in (logging.Formatter, _NO_FORMATTER)
        and not handler.filters
    )
