"""Errors of jobs for Sentry."""

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from tallystick import Context, Fixed
from tallystick.observability.sentry import Sentry

from ..helpers import AT_ONCE, LONG, SECOND, MakeRunner


class Kept(Transport):
    """A transport that keeps the events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        """Keep the event."""
        if (event := envelope.get_event()) is not None:
            self.events.append(event)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Return the transport of a client of this test."""
    transport, scope = Kept(), sentry_sdk.get_global_scope()
    before = scope.client
    sentry_sdk.init(
        dsn="http://key@127.0.0.1/1",
        transport=transport,
        default_integrations=False,
        integrations=[LoggingIntegration()],
    )
    yield transport
    sentry_sdk.get_client().close(timeout=0)
    scope.set_client(before)


@pytest.mark.parametrize(("retries", "levels"), [(False, ["error"]), (True, ["warning", "error"])])
def test_failed_attempts_are_reported(make_runner: MakeRunner, kept: Kept, retries: bool, levels: list[str]) -> None:
    """A discarded job is one event with its exception and its job; retried attempts are events if they are wanted."""
    runner = make_runner(retry=Fixed(AT_ONCE))
    runner.add_hooks(Sentry(retries=retries))

    @runner.job("fail", queue="mail", max_attempts=2)
    def fail(payload: None, ctx: Context) -> None:
        raise LookupError("no such user")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    runner.wait_for(handle, timeout=LONG)
    runner.stop()
    assert [event["level"] for event in kept.events] == levels
    for event in kept.events:
        assert event["exception"]["values"][-1]["type"] == "LookupError"
        assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail"
        assert event["tags"] == {"tallystick.kind": "fail", "tallystick.queue": "mail"}
    assert kept.events[-1]["contexts"]["job"] == {"id": str(handle.id), "attempt": 2, "max_attempts": 2}
    assert kept.events[-1]["transaction"] == "fail"


def test_a_job_whose_worker_died(make_runner: MakeRunner, kept: Kept) -> None:
    """A rescued job without attempts left has no exception, so its event is a message."""
    runner = make_runner(maintenance=SECOND / 50)
    runner.add_hooks(Sentry())

    @runner.job("echo", max_attempts=1)
    def echo(payload: None, ctx: Context) -> None: ...

    handle = runner.enqueue(echo.job(None))
    runner.backend.claim(["default"], limit=1, worker="dead", lease=LONG / 300_000)
    runner.start()
    runner.wait_for(handle, timeout=LONG)
    runner.stop()
    [event] = kept.events
    assert event["message"].startswith("LeaseExpired: the worker stopped extending its lease")
