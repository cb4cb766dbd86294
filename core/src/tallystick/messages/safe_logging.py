"""Log without raising, even if the application's log handlers, filters or formatters raise."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from ..interrupts import from_signal
from .logged_tracebacks import add_text
from .safe_repr import type_name
from .tracebacks import traceback_of

ExcInfo = tuple[type[BaseException], BaseException, Any]


class SafeLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that prints errors of log handlers on stderr, and returns normally."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Keep the `extra` fields of each call."""
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a message. Never raises an error of a log handler."""
        try:
            super().log(level, msg, *args, **{"stacklevel": 2, **kwargs})
        except BaseException as exc:
            if from_signal(exc):
                raise
            _report(msg, exc)


def safe_logger(name: str) -> SafeLogger:
    """Return the safe version of the logger with this name."""
    logger = logging.getLogger(name)
    logger.addFilter(add_text)
    return SafeLogger(logger, {})


def exc_info(exc: BaseException | None) -> ExcInfo | None:
    """Return an exception as `logging` expects it. The bare exception is not enough: its `__bool__` may be false."""
    return None if exc is None else (type(exc), exc, traceback_of(exc))


def _report(msg: object, exc: BaseException) -> None:
    try:
        if logging.raiseExceptions and sys.stderr:
            print(f"tallystick: logging raised {type_name(exc)}; this record is lost: {msg}", file=sys.stderr)
    except BaseException as failed:
        if from_signal(failed):
            raise
