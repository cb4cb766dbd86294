"""Settings and calls that a runner must reject or survive."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import (
    ConfigurationError,
    Discard,
    Exponential,
    Failure,
    Filter,
    InvalidArgument,
    NewRecord,
    Runner,
    State,
)
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually
from .anyhow import echo

PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["LEASE", "POLL", "GRACE"])
def test_seconds_in_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In the environment, a duration may be a number of seconds."""
    monkeypatch.setenv(f"TALLYSTICK_{name}", "45")
    assert getattr(Runner().settings, name.lower()) == timedelta(seconds=45)


@pytest.mark.parametrize("wrong", [MemoryBackend, b"memory://x", 7])
def test_wrong_backend(wrong: Any) -> None:
    """A value that is neither a URL nor a backend is rejected, instead of using another store."""
    with pytest.raises((ConfigurationError, InvalidArgument, TypeError)):
        Runner(wrong)


def test_bad_configure_is_forgotten() -> None:
    """A rejected `configure` changes nothing: later calls work, and the given backend stays."""
    backend = MemoryBackend()
    runner = Runner(backend)
    with pytest.raises(ConfigurationError):
        runner.configure(backend="memory://other", concurrency=0)
    runner.configure(batch=5)
    assert runner.backend is backend
    runner.close()


@pytest.mark.parametrize("options", [{"unique_key": "one"}, {"id": NewRecord(kind="any").id}])
def test_batch_of_one_key(runner: Runner, options: dict[str, Any]) -> None:
    """One id or unique key for a whole batch is rejected, because it would store only the first job."""
    job = echo(runner)
    with pytest.raises(InvalidArgument):
        runner.enqueue_batch([job.job(1), job.job(2)], **options)


class Restless(MemoryBackend):
    """A store whose requeued jobs are claimed and discarded at once, as by a fast worker."""

    rounds = 0

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        """Requeue the jobs, claim them and discard them."""
        changed = super().requeue(filter, limit=limit, now=now)
        self.rounds += 1
        if self.rounds < 10:
            claimed = super().claim(["default"], limit=limit, worker="fast", lease=LONG)
            super().settle([Discard(record.claim, record.last_error or FAILURE) for record in claimed])
        return changed


FAILURE = Failure("ValueError", "no")


def test_requeue_ends(make_runner: MakeRunner) -> None:
    """A requeue by a filter requeues each job once, even if the jobs fail again before it ends."""
    backend = Restless()
    runner = make_runner(backend)
    job = echo(runner)
    runner.enqueue_batch([job.job(n) for n in range(1_000)])
    claimed = backend.claim(["default"], limit=1_000, worker="fast", lease=LONG)
    backend.settle([Discard(record.claim, FAILURE) for record in claimed])
    assert runner.requeue(Filter(states=[State.DISCARDED])) == 1_000


def test_nan_factor() -> None:
    """A factor of NaN is rejected when the policy is made."""
    with pytest.raises(InvalidArgument):
        Exponential(factor=float("nan"))


def test_no_base_no_delay() -> None:
    """With a base of zero, the delay is zero, even if the power of the factor overflows."""
    assert Exponential(base=AT_ONCE)(2_000, ValueError(), 0.0) == AT_ONCE


def test_kept_for_ages(make_runner: MakeRunner) -> None:
    """With a retention beyond the range of dates, records are kept; others are still purged."""
    runner = make_runner(keep_completed=timedelta(days=2_000_000), keep_cancelled=AT_ONCE)
    job = echo(runner)
    cancelled = runner.enqueue(job.job(1))
    runner.backend.cancel(Filter(ids=[cancelled.id]), limit=1, now=PAST)
    runner.start()
    eventually(lambda: not runner.backend.get([cancelled.id]))
