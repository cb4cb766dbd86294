"""Log records about jobs."""

import logging
from traceback import format_tb

import pytest
from tallystick import Context, DiscardJob, Fixed, Runner

from ..helpers import AT_ONCE, LONG, eventually


def test_handlers_log(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """Records of `ctx.log` carry the job's id, kind, queue and attempt, and the handler's own fields."""
    caplog.set_level(logging.INFO, "tallystick.jobs")

    @runner.job("talk", queue="talks", retry=Fixed(AT_ONCE))
    def talk(payload: int, ctx: Context) -> None:
        ctx.log.info("payload %d", payload, extra={"tenant": 7})
        if ctx.attempt == 1:
            raise ConnectionError

    handle = runner.enqueue(talk.job(3))
    runner.start()
    runner.result(handle.id, timeout=LONG)
    logs = [log for log in caplog.records if log.name == "tallystick.jobs"]
    assert [log.message for log in logs] == ["payload 3", "payload 3"]
    assert [_fields(log) for log in logs] == [(str(handle.id), "talk", "talks", attempt) for attempt in (1, 2)]
    assert logs[0].__dict__["tenant"] == 7


def test_ends_are_logged(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """The end of an attempt is logged with the job's fields and duration: retries as warnings, discards as errors."""

    @runner.job("fail", retry=Fixed(AT_ONCE))
    def fail(payload: None, ctx: Context) -> None:
        raise ConnectionError("no line") if ctx.attempt == 1 else DiscardJob("never mind")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    logs = eventually(lambda: (found := [log for log in caplog.records if hasattr(log, "duration")])[1:] and found)
    assert [(log.levelname, *_fields(log)) for log in logs] == [
        ("WARNING", str(handle.id), "fail", "default", 1),
        ("ERROR", str(handle.id), "fail", "default", 2),
    ]
    assert "retried: ConnectionError: no line" in logs[0].message
    assert "never mind" in logs[1].message
    assert all(log.__dict__["duration"] >= 0 for log in logs)
    assert [log.__dict__["error_type"] for log in logs] == ["ConnectionError", "tallystick.jobs.control.DiscardJob"]


def test_failures_are_logged_with_their_exception(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """Failures are logged with the exception and the frames of the handler, and with one template per outcome."""

    @runner.job("fail", retry=Fixed(AT_ONCE), max_attempts=2)
    def fail(payload: int, ctx: Context) -> None:
        raise ConnectionError(payload)

    runner.enqueue_batch([fail.job(1), fail.job(2)])
    runner.start()
    logs = eventually(lambda: (found := [log for log in caplog.records if hasattr(log, "duration")])[3:] and found)
    assert len({log.msg for log in logs}) == 2
    for log in logs:
        assert log.exc_info is not None
        kind, exc, traceback = log.exc_info
        assert (kind, type(exc)) == (ConnectionError, ConnectionError)
        assert traceback is not None
        [frame] = format_tb(traceback)
        assert "in fail" in frame
        assert log.filename == "settler.py"


def test_completions_are_quiet(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """A completed job is logged at DEBUG only."""
    caplog.set_level(logging.INFO, "tallystick.worker")

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.start()
    runner.result(runner.enqueue(echo.job(1)), timeout=LONG)
    caplog.set_level(logging.DEBUG, "tallystick.worker")
    runner.result(runner.enqueue(echo.job(2)), timeout=LONG)
    eventually(lambda: runner.snapshot().completed == 2)
    runner.stop()
    assert [log.levelname for log in caplog.records if "completed" in log.message] == ["DEBUG"]


def _fields(log: logging.LogRecord) -> tuple[object, ...]:
    return tuple(log.__dict__[name] for name in ("job_id", "kind", "queue", "attempt"))
