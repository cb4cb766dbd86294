"""The settings of a runner that apply to kinds without these options."""

import asyncio
from datetime import timedelta

import pytest
from tallystick import (
    ConfigurationError,
    Context,
    Exponential,
    Fixed,
    InvalidArgument,
    Job,
    Never,
    Options,
    Runner,
    Settings,
    State,
    Status,
)

from ..helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner

HOUR = timedelta(hours=1)


def test_defaults_without_settings() -> None:
    """Without settings, a job has 20 attempts, exponential delays from 30 seconds, and no limit of time."""
    settings = Settings()
    assert settings.max_attempts_of(Options()) == 20
    assert settings.retry_of(Options()) == Exponential()
    assert settings.timeout_of(Options(), "default") is None


def test_options_of_a_kind_have_precedence() -> None:
    """An option of the kind overrides the runner's setting; `timedelta.max` is no limit of time."""
    settings = Settings(max_attempts=3, retry=Fixed(SECOND), timeout=HOUR)
    own = Options(max_attempts=7, retry=Never(), timeout=timedelta.max)
    assert (settings.max_attempts_of(Options()), settings.max_attempts_of(own)) == (3, 7)
    assert (settings.retry_of(Options()), settings.retry_of(own)) == (Fixed(SECOND), Never())
    assert (settings.timeout_of(Options(), "default"), settings.timeout_of(own, "default")) == (HOUR, None)


def test_defaults_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment sets the base of the retry policy, the attempts and the limit of time."""
    monkeypatch.setenv("TALLYSTICK_RETRY_BASE", "5")
    monkeypatch.setenv("TALLYSTICK_MAX_ATTEMPTS", "4")
    monkeypatch.setenv("TALLYSTICK_TIMEOUT", "PT2M")
    settings = Runner().settings
    assert settings.retry_of(Options()) == Exponential(base=timedelta(seconds=5))
    assert settings.max_attempts_of(Options()) == 4
    assert settings.timeout_of(Options(), "default") == timedelta(minutes=2)
    monkeypatch.setenv("TALLYSTICK_TIMEOUT", "forever")
    assert Runner().settings.timeout is None


def test_a_queue_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout of a kind counts before that of its queue, and that of the queue before the runner's."""
    monkeypatch.setenv("TALLYSTICK_QUEUE_TIMEOUTS", "emails:30, a:b:forever")
    settings = Settings(timeout=HOUR)
    assert settings.queue_timeouts == {"emails": 30 * SECOND, "a:b": timedelta.max}
    timeouts = [settings.timeout_of(Options(), queue) for queue in ("emails", "a:b", "default")]
    assert timeouts == [30 * SECOND, None, HOUR]
    assert settings.timeout_of(Options(timeout=SECOND), "emails") == SECOND


@pytest.mark.parametrize("timeouts", [{"emails": 0}, {"emails": "soon"}, {"": 1}, "emails"])
def test_bad_timeouts_of_queues_are_rejected(timeouts: object) -> None:
    """A timeout is a time from a millisecond."""
    with pytest.raises(ConfigurationError, match="queue_timeouts"):
        Runner("memory://", queue_timeouts=timeouts)  # type: ignore[arg-type]  # wrong on purpose


def test_jobs_of_a_queue_exceed_its_timeout(make_runner: MakeRunner) -> None:
    """The queue that a job is in decides, not that of its kind. A queue that is not served is rejected."""
    runner = make_runner(queues=["slow", "fast"], queue_timeouts={"fast": SECOND / 25}, lease=SHORT_LEASE)

    @runner.job("wait", queue="slow", max_attempts=1)
    async def wait(payload: float, ctx: Context) -> None:
        await asyncio.sleep(payload)

    slow, fast = runner.enqueue(wait.job(0.2)), runner.enqueue(wait.job(3_600), queue="fast")
    runner.start()
    assert runner.result(slow, timeout=LONG) is None
    assert runner.wait_for(fast, timeout=LONG).status is Status.DISCARDED
    other = make_runner(queues=["slow"], queue_timeouts={"fast": SECOND})
    with pytest.raises(InvalidArgument, match="queue_timeouts has 'fast'"):
        other.start()


@pytest.mark.parametrize("policy", [3, Fixed, timedelta(seconds=1), lambda attempt: None])
def test_a_bad_policy_is_rejected(policy: object) -> None:
    """A `retry` that is not a policy is rejected when the runner is created."""
    with pytest.raises(ConfigurationError, match=r"retry .*TALLYSTICK_RETRY.*(policy|call)"):
        Runner("memory://", retry=policy)  # type: ignore[arg-type]  # wrong on purpose


def test_the_environment_has_no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy is code, so a policy in the environment is rejected."""
    monkeypatch.setenv("TALLYSTICK_RETRY", "Never()")
    with pytest.raises(ConfigurationError, match=r"TALLYSTICK_RETRY.*not a policy"):
        Runner()


def test_jobs_get_the_runners_attempts(make_runner: MakeRunner) -> None:
    """Single jobs, batches, `Job` classes and schedules get the runner's attempts; an enqueue can override them."""
    runner = make_runner(max_attempts=3)

    @runner.schedule("@daily", name="nightly")
    @runner.job("note")
    def note(payload: None, ctx: Context) -> None: ...

    @runner.register
    class Plain(Job[None]):
        kind = "plain"

        def work(self, ctx: Context) -> None: ...

    handles = [runner.enqueue(note.job(None)), *runner.enqueue_batch([Plain()])]
    handles.append(runner.enqueue(note.job(None), max_attempts=9))
    assert [handle.record.max_attempts for handle in handles] == [3, 3, 9]
    assert runner.put_schedule("@daily", note.job(None)).max_attempts == 3


def test_a_worker_uses_the_runners_policy_and_limit(make_runner: MakeRunner) -> None:
    """A failed job is retried by the runner's policy, and a handler that exceeds the runner's limit fails."""
    runner = make_runner(retry=Fixed(AT_ONCE), max_attempts=2, timeout=SECOND / 50)

    @runner.job("wait")
    async def wait(payload: None, ctx: Context) -> None:
        await asyncio.Event().wait()

    handle = runner.enqueue(wait.job(None))
    runner.start()
    record = runner.wait_for(handle, timeout=LONG).record
    assert record is not None
    assert (record.state, record.attempt) == (State.DISCARDED, 2)
    assert record.last_error is not None
    assert record.last_error.type == "TimeoutError"
