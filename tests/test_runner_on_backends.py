"""The runner on each backend: basic use without mocks."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

import pytest
from support import PATIENCE
from tallystick import Context, Filter, Fixed, Job, JobDiscarded, Runner, State, tick_id

SOON = timedelta(seconds=PATIENCE)
README = Path(__file__).parent.parent / "README.md"


class Add(Job[int]):
    """Adds two numbers."""

    kind = "add"
    left: int
    right: int

    async def work(self, ctx: Context) -> int:
        """Return the sum."""
        return self.left + self.right


@pytest.fixture
def runner(url: str) -> Iterator[Runner]:
    """Return a runner on each backend, with jobs of every form."""
    with Runner(url, poll=timedelta(milliseconds=50)) as runner:
        runner.register(Add)

        @runner.job("fail", retry=Fixed(timedelta(0)), max_attempts=3)
        def fail(message: str, ctx: Context) -> None:
            raise ValueError(message)

        @runner.raw("reverse")
        def reverse(payload: bytes, ctx: Context) -> bytes:
            return payload[::-1]

        runner.start()
        yield runner


def test_a_typed_job_runs_and_its_result_comes_back_typed(runner: Runner) -> None:
    """`result` returns the value of `work` with its type."""
    jobs = runner.enqueue_batch([Add(left=n, right=1) for n in range(100)])
    assert [runner.result(job, timeout=SOON) for job in jobs] == list(range(1, 101))


def test_a_failing_job_is_retried_and_discarded_with_any_error_text(runner: Runner) -> None:
    """A message with NUL and a lone surrogate is stored unchanged, and the job is discarded after its attempts."""
    job = runner.enqueue(runner.definitions["fail"].job("nul \0 surrogate \\ud800"))
    with pytest.raises(JobDiscarded, match="nul"):
        runner.result(job, timeout=SOON)
    record = runner.get(job)
    assert (record.state, record.attempt) == (State.DISCARDED, 3)
    assert record.last_error is not None
    assert record.last_error.message == "nul \0 surrogate \\ud800"


def test_raw_payload_and_result_are_kept_byte_for_byte(runner: Runner) -> None:
    """All byte values round-trip."""
    payload = bytes(range(256))
    assert runner.result(runner.enqueue_raw("reverse", payload), timeout=SOON) == payload[::-1]


def test_a_delayed_job_is_worked_when_it_is_due(runner: Runner) -> None:
    """A job due in 0.2 s is not worked earlier."""
    job = runner.enqueue_in(timedelta(seconds=0.2), Add(left=1, right=2))
    assert runner.result(job, timeout=SOON) == 3
    record = runner.get(job)
    assert record.attempted_at is not None
    assert record.attempted_at >= record.run_at


def test_a_schedule_fires_each_second(runner: Runner) -> None:
    """Each tick of a schedule is one job, with the tick as its due time; a paused schedule fires no more."""
    runner.put_schedule("every second", Add(left=1, right=2), name="often", missed="all", queue="ticks")
    deadline = monotonic() + PATIENCE
    while len(jobs := runner.backend.list(Filter(tags=["schedule:often"]), limit=100)) < 3:
        assert monotonic() < deadline
        sleep(0.05)
    ticks = sorted(job.run_at for job in jobs)
    assert {later - earlier for earlier, later in pairwise(ticks)} == {timedelta(seconds=1)}
    assert {tick_id("often", tick) for tick in ticks} == {job.id for job in jobs}
    paused = runner.pause_schedule("often")
    assert runner.backend.schedules(["often"]) == [paused]


def test_a_worker_is_listed_and_its_outcomes_are_counted(runner: Runner) -> None:
    """The store lists the worker while it runs, and has the numbers of its attempts after its stop."""
    deadline = monotonic() + PATIENCE
    while [worker.worker for worker in runner.backend.workers()] != [runner.settings.worker]:
        assert monotonic() < deadline
        sleep(0.05)
    runner.result(runner.enqueue(Add(left=1, right=2)), timeout=SOON)
    runner.stop()
    assert runner.backend.workers() == []
    now = datetime.now(UTC)
    meters = runner.backend.meters(now - timedelta(hours=1), now + timedelta(hours=1), step=timedelta(minutes=1))
    assert sum(meter.completed for meter in meters if meter.kind == "add") == 1


def test_the_readme_example_needs_another_url_only(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's example for SQLite runs on each backend after a change of its URL."""
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(example.replace("sqlite:///jobs.db", url), {"__name__": "__main__"})
    assert capsys.readouterr().out == "welcomed user 7 at attempt 1\n"
