"""Metrics for Prometheus."""

from threading import Event

from prometheus_client import CollectorRegistry
from tallystick import Context, Fixed, Never
from tallystick.observability.prometheus import Prometheus

from ..helpers import AT_ONCE, LONG, MakeRunner


def test_metrics(make_runner: MakeRunner) -> None:
    """Jobs, outcomes, handler times and waits are counted by queue and kind; a duplicate is no new job."""
    registry, runner = CollectorRegistry(), make_runner(retry=Fixed(AT_ONCE))
    runner.add_hooks(Prometheus(registry))

    @runner.job("flaky", queue="mail", max_attempts=2)
    def flaky(payload: int, ctx: Context) -> None:
        if ctx.attempt < payload:
            raise ValueError

    handles = [runner.enqueue(flaky.job(number), unique_key=str(number)) for number in (1, 2, 3)]
    runner.enqueue(flaky.job(3), unique_key="3")
    runner.start()
    runner.wait_for_all(handles, timeout=LONG)
    runner.stop()
    labels = {"queue": "mail", "kind": "flaky"}

    def value(name: str, **more: str) -> float | None:
        return registry.get_sample_value(name, labels | more)

    assert value("tallystick_jobs_enqueued_total") == 3
    assert value("tallystick_attempts_total", outcome="complete") == 2
    assert value("tallystick_attempts_total", outcome="retry") == 2
    assert value("tallystick_attempts_total", outcome="discard") == 1
    assert value("tallystick_handler_seconds_count") == 5
    assert value("tallystick_wait_seconds_count") == 5
    assert value("tallystick_handlers_running") == 0
    assert registry.get_sample_value("tallystick_claims_lost_total") == 0


def test_running_handlers(make_runner: MakeRunner) -> None:
    """A gauge shows the handlers that run now."""
    registry, runner, started, go = CollectorRegistry(), make_runner(), Event(), Event()
    runner.add_hooks(Prometheus(registry))

    @runner.job("wait", retry=Never())
    def wait(payload: None, ctx: Context) -> None:
        started.set()
        go.wait(LONG.total_seconds())

    handle = runner.enqueue(wait.job(None))
    runner.start()
    assert started.wait(LONG.total_seconds())
    labels = {"queue": "default", "kind": "wait"}
    assert registry.get_sample_value("tallystick_handlers_running", labels) == 1
    go.set()
    runner.wait_for(handle, timeout=LONG)
