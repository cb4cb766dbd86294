"""The traceback of a log record."""

import io
import logging
from collections.abc import Iterator
from typing import NoReturn

import pytest
from tallystick.messages.safe_logging import SafeLogger, safe_logger


@pytest.fixture
def log() -> Iterator[SafeLogger]:
    """A logger of the SDK, with a parent."""
    parent, log = logging.getLogger("traceback_tests"), safe_logger("traceback_tests.child")
    yield log
    log.logger.handlers, parent.handlers = [], []
    log.logger.propagate = parent.propagate = True
    log.logger.filters = log.logger.filters[:1]


class OneLine(logging.Formatter):
    """Formats an exception in one line, as the documentation of `logging` shows."""

    def formatException(self, ei: object) -> str:  # noqa: N802  # the name is logging's
        """Format it."""
        return "one line"


class Hostile(Exception):
    """Has no attributes."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


def _handler(logger: logging.Logger | None, formatter: logging.Formatter | None = None) -> io.StringIO:
    """Add a handler, and return what it writes. The records reach no logger above, which has the handlers of pytest."""
    assert logger is not None
    logger.propagate = False
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return handler.stream


def _raise(error: Exception) -> NoReturn:
    raise error


def _fail(log: SafeLogger, error: Exception) -> str:
    """Log an exception, and return the text of `logging` for it."""
    try:
        _raise(error)
    except Exception as exc:
        log.exception("failed")
        return logging.Formatter().formatException((type(exc), exc, exc.__traceback__))


def test_formatters_of_logging_write_the_text(log: SafeLogger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formatters of `logging` write the text that they would format. They do not format it."""
    lines = [_handler(log.logger), _handler(log.logger, logging.Formatter("%(message)s"))]
    text = _fail(log, ValueError("any"))
    assert text.startswith("Traceback")
    assert [one.getvalue() for one in lines] == [f"failed\n{text}\n"] * 2
    monkeypatch.setattr(logging.Formatter, "formatException", lambda self, info: "formatted again")
    _fail(log, ValueError("other"))
    assert "other" in lines[0].getvalue()
    assert "formatted again" not in lines[0].getvalue()


def test_formatters_of_the_application_format_the_exception(log: SafeLogger) -> None:
    """A formatter of the application formats the exception, at the logger or at its parent."""
    lines = _handler(log.logger, OneLine())
    _fail(log, ValueError())
    assert lines.getvalue() == "failed\none line\n"
    lines = _handler(log.logger.parent, OneLine())
    log.logger.handlers, log.logger.propagate = [], True
    _fail(log, ValueError())
    assert lines.getvalue() == "failed\none line\n"


@pytest.mark.parametrize("place", ["logger", "handler"])
def test_filters_of_the_application_hide_the_exception(log: SafeLogger, place: str) -> None:
    """A filter that removes `exc_info` removes the traceback."""
    lines = _handler(log.logger)

    def hide(record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True

    (log.logger if place == "logger" else log.logger.handlers[0]).addFilter(hide)
    _fail(log, ValueError())
    assert lines.getvalue() == "failed\n"


def test_hostile_exceptions_are_left_to_logging(log: SafeLogger, capsys: pytest.CaptureFixture[str]) -> None:
    """An exception whose attributes raise is logged as `logging` does: its handler reports an error on stderr."""
    _handler(log.logger)
    log.error("failed", exc_info=(Hostile, Hostile(), None))
    assert "--- Logging error ---" in capsys.readouterr().err
