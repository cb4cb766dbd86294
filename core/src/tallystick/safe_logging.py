"""Logging from a thread that must go on, whatever the application's log handlers, filters and formatters raise."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from .interrupts import from_signal
from .safe_repr import type_name

ExcInfo = tuple[type[BaseException], BaseException, Any]


class SafeLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that reports on stderr what the handling of a record raised, and returns."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Keep the fields of each call."""
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log, and return in any case."""
        try:
            super().log(level, msg, *args, **{"stacklevel": 2, **kwargs})
        except BaseException as exc:
            if from_signal(exc):
                raise
            _report(msg, exc)


def safe_logger(name: str) -> SafeLogger:
    """Return the safe form of the logger of this name."""
    return SafeLogger(logging.getLogger(name), {})


def exc_info(exc: BaseException | None) -> ExcInfo | None:
    """Return what `logging` takes for an exception; the exception itself is not enough, since it may be false."""
    return None if exc is None else (type(exc), exc, BaseException.__getattribute__(exc, "__traceback__"))


def _report(msg: object, exc: BaseException) -> None:
    try:
        if logging.raiseExceptions and sys.stderr:
            print(f"tallystick: logging raised {type_name(exc)}; lost a record: {msg}", file=sys.stderr)
    except BaseException as failed:
        if from_signal(failed):
            raise
