"""Warnings about queues that no local worker serves."""

import pytest
from tallystick import Context, Runner

from ..helpers import MakeRunner


@pytest.fixture
def mail_runner(make_runner: MakeRunner) -> Runner:
    """Return a runner with one kind, whose queue is "emails"."""
    runner = make_runner()
    register(runner)
    return runner


def register(runner: Runner) -> None:
    """Register a kind whose queue is "emails"."""

    @runner.job("mail", queue="emails")
    def mail(payload: int, ctx: Context) -> None: ...


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings logged so far."""
    return [log.getMessage() for log in caplog.records if log.levelname == "WARNING"]


def test_enqueued_in_an_unserved_queue(mail_runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """A running runner warns once per queue about enqueues into queues that its worker does not serve."""
    mail_runner.start()
    mail_runner.enqueue_raw("mail", b"1")
    assert warnings(caplog) == []
    for _ in range(3):
        mail_runner.enqueue_raw("mail", b"1", queue="urgent")
    [warning] = warnings(caplog)
    assert "kind 'mail' was enqueued in queue 'urgent'" in warning
    assert "it serves 'emails'" in warning


def test_enqueued_by_a_client(mail_runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    """A runner that was not started does not warn, because other processes may serve the queue."""
    mail_runner.enqueue_raw("mail", b"1", queue="urgent")
    assert warnings(caplog) == []


def test_misspelt_queue(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """At its start, a worker warns about kinds whose queue it does not serve, and about its queues without a kind."""
    runner = make_runner(queues=["emial"])
    register(runner)
    runner.start()
    elsewhere, unused = warnings(caplog)
    assert "this worker serves 'emial', but not the queues of: 'mail' (queue 'emails')" in elsewhere
    assert "no registered kind uses 'emial', which this worker serves" in unused


def test_served(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that serves the queues of its kinds starts without a warning."""
    runner = make_runner(queues=["emails"])
    register(runner)
    runner.start()
    assert warnings(caplog) == []
