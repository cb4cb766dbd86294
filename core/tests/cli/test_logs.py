import json
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tallystick.cli import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Restore the root logger after the test."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers = []
    yield root
    root.handlers = handlers
    root.setLevel(level)


def _record(**extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "tallystick.worker", "levelno": 20, "levelname": "INFO"} | extra)
    record.created, record.msecs = 1_767_225_600.25, 250
    record.msg, record.args = "done: %s", ("a\nb",)
    return record


def _raised() -> object:
    error = OSError("disk")
    return (OSError, error, error.__traceback__)


def test_json_is_one_object_a_line() -> None:
    """A JSON log line has the time in UTC, level, logger, message and the job's fields."""
    line = logs.JsonFormatter().format(
        _record(job_id="1", kind="é", queue="q", attempt=2, duration=timedelta(seconds=1.5))
    )
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.250000Z",
        "level": "info",
        "logger": "tallystick.worker",
        "message": "done: a\nb",
        "job_id": "1",
        "kind": "é",
        "queue": "q",
        "attempt": 2,
        "duration": 1.5,
    }


def test_json_has_the_fields_of_the_application() -> None:
    """The `extra` of the application's own records is in the JSON line, and replaces none of the other fields."""
    line = json.loads(logs.JsonFormatter().format(_record(tenant=7, when=timedelta(1), level="mine", job_id="1")))
    assert (line["tenant"], line["when"], line["level"], line["job_id"]) == (7, "1 day, 0:00:00", "info", "1")


def test_json_without_a_job_has_no_fields_of_one() -> None:
    """Without a job, a JSON log line has no job fields."""
    assert list(json.loads(logs.JsonFormatter().format(_record()))) == ["time", "level", "logger", "message"]


def test_json_carries_a_traceback() -> None:
    """A traceback is part of the JSON line."""
    line = logs.JsonFormatter().format(_record(exc_info=_raised()))
    assert "\n" not in line
    assert json.loads(line)["traceback"].endswith("OSError: disk")


def test_json_carries_a_traceback_from_a_child_process() -> None:
    """A record from a child process has its traceback as text."""
    assert json.loads(logs.JsonFormatter().format(_record(exc_text="OSError: disk")))["traceback"] == "OSError: disk"


def test_text_puts_the_fields_behind_the_message() -> None:
    """A text log line has the job's fields after the message, followed by the traceback."""
    text = logs.TextFormatter().format(_record(kind="mail", attempt=2, exc_info=_raised()))
    first, *_, last = text.replace("a\nb", "ab").splitlines()
    assert first.endswith("INFO    tallystick.worker: done: ab kind=mail attempt=2")
    assert last == "OSError: disk"


def test_text_escapes_control_characters() -> None:
    """Escape sequences in a log line are escaped."""
    assert "\\x1b[2Jmail" in logs.TextFormatter().format(_record(kind="\x1b[2Jmail"))


def test_configure_logs_to_stderr_from_a_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    """`configure` logs to stderr, and drops records below the level."""
    logs.configure(logs.Level.WARNING, logs.Format.JSON)
    logging.getLogger("app").info("small")
    logging.getLogger("app").warning("large")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["message"] == "large"
