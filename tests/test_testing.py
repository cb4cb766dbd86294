"""`tallystick.testing` on each backend: drain, a virtual clock, inline jobs, and assertions."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tallystick import Context, DiscardJob, Fixed, Job, Runner, Snooze, State, open_backend
from tallystick.testing import Drained, JobTester, ephemeral, inline, manual

START = datetime(2030, 1, 1, 9, 30, tzinfo=UTC)


class SendWelcome(Job[str]):
    """Sends an e-mail, and enqueues a reminder."""

    kind = "emails:welcome"
    queue = "emails"
    user_id: int
    vip: bool = False

    def work(self, ctx: Context) -> str:
        """Enqueue the reminder."""
        Runner.current().enqueue_in(timedelta(days=1), Remind(user_id=self.user_id))
        return f"welcome {self.user_id}"


class Remind(Job[None]):
    """An async job."""

    kind = "emails:remind"
    user_id: int

    async def work(self, ctx: Context) -> None:
        """Enqueue the last job."""
        await Runner.current().aenqueue(Count(number=self.user_id))


class Count(Job[int]):
    """A job without effects."""

    kind = "count"
    number: int

    def work(self, ctx: Context) -> int:
        """Return the number."""
        return self.number


class Fail(Job[None]):
    """A job that fails twice."""

    kind = "fail"
    retry = Fixed(timedelta(minutes=10))

    def work(self, ctx: Context) -> None:
        """Fail at the first two attempts."""
        if ctx.attempt < 3:
            raise ConnectionError(f"attempt {ctx.attempt}")


@pytest.fixture
def runner() -> Runner:
    """Return the runner of an application, whose own store does not exist."""
    runner = Runner("postgresql://nowhere.invalid/db")
    for job in (SendWelcome, Remind, Count, Fail):
        runner.register(job)
    return runner


@pytest.fixture
def jobs(runner: Runner, url: str) -> Iterator[JobTester]:
    """Return the tester of a runner whose jobs wait for `drain`."""
    with manual(runner, url=url, start=START) as jobs:
        yield jobs


def test_jobs_wait_for_drain(jobs: JobTester) -> None:
    """An enqueued job waits; `drain` runs it with its callbacks, and stores its typed result."""
    ended: list[str] = []
    jobs.runner.on_completed(lambda record, outcome: ended.append(record.kind))
    job = jobs.runner.enqueue(SendWelcome(user_id=1))
    assert jobs.runner.get(job).state is State.PENDING
    assert jobs.drain() == Drained(completed=1)
    assert jobs.runner.result(job) == "welcome 1"
    assert ended == ["emails:welcome"]
    assert jobs.drain() == Drained()


def test_advance_moves_the_clock_of_the_store(jobs: JobTester) -> None:
    """A job for later is due after `advance`, to the microsecond, and the store's times are those of the clock."""
    job = jobs.runner.enqueue_in(timedelta(hours=1), Count(number=7))
    assert jobs.advance(minutes=59, seconds=59) == START + timedelta(minutes=59, seconds=59)
    assert jobs.drain() == Drained()
    jobs.advance(seconds=1)
    assert jobs.drain() == Drained(completed=1)
    record = jobs.runner.get(job)
    assert record.created_at == START
    assert record.run_at == record.attempted_at == record.finished_at == START + timedelta(hours=1)


def test_jobs_enqueued_by_jobs_run_too(jobs: JobTester) -> None:
    """`drain` also runs the jobs that handlers enqueue, sync and async."""
    jobs.runner.enqueue(SendWelcome(user_id=1))
    jobs.drain()
    jobs.advance(days=1)
    assert jobs.drain() == Drained(completed=2)
    [counted] = jobs.enqueued(Count, number=1)
    assert counted.state is State.COMPLETED


def test_a_failure_is_stored_and_then_raised(jobs: JobTester) -> None:
    """`drain` raises the handler's exception, and the job is retried by its policy, as with a worker."""
    job = jobs.runner.enqueue(Fail())
    with pytest.raises(ConnectionError, match="attempt 1"):
        jobs.drain()
    record = jobs.runner.get(job)
    assert (record.state, record.run_at) == (State.RETRYING, START + timedelta(minutes=10))
    jobs.advance(minutes=10)
    assert jobs.drain(raises=False) == Drained(retried=1)
    jobs.advance(minutes=10)
    assert jobs.drain() == Drained(completed=1)


def test_snooze_and_discard_are_no_failures(jobs: JobTester) -> None:
    """`Snooze` puts a job off by the clock, and `DiscardJob` ends it; neither is raised."""

    @jobs.runner.job("patient")
    def patient(hours: int, ctx: Context) -> None:
        if ctx.attempt == 1:
            raise Snooze(timedelta(hours=hours))
        raise DiscardJob("enough")

    job = jobs.runner.enqueue(patient.job(2))
    assert jobs.drain() == Drained(released=1)
    jobs.advance(hours=2)
    assert jobs.drain() == Drained(discarded=1)
    assert jobs.runner.get(job).state is State.DISCARDED


def test_only_one_queue_is_drained(jobs: JobTester) -> None:
    """With a queue, other jobs wait; the jobs of a paused queue wait, too."""
    jobs.runner.enqueue_batch([SendWelcome(user_id=1), Count(number=1)])
    assert jobs.drain(queue="emails") == Drained(completed=1)
    jobs.backend.pause("default")
    assert jobs.drain() == Drained()
    jobs.backend.resume("default")
    assert jobs.drain() == Drained(completed=1)


def test_endless_jobs_end_the_test(jobs: JobTester) -> None:
    """If jobs enqueue each other for ever, `drain` fails at its limit."""

    @jobs.runner.job("again")
    def again(number: int, ctx: Context) -> None:
        Runner.current().enqueue(again.job(number + 1))

    jobs.runner.enqueue(again.job(0))
    with pytest.raises(AssertionError, match="20 attempts have run, and more jobs wait"):
        jobs.drain(limit=20)


def test_schedules_fire_at_each_tick(jobs: JobTester) -> None:
    """`advance` fires each tick on its way, at its own time, also of a schedule that skips missed ticks."""
    jobs.runner.schedule("0 * * * *", Count(number=5), zone="UTC", name="hourly", missed="skip")
    jobs.advance(hours=3)
    assert [record.run_at.hour for record in jobs.enqueued(Count)] == [10, 11, 12]
    assert {record.created_at for record in jobs.enqueued(Count)} == {record.run_at for record in jobs.enqueued(Count)}
    assert jobs.drain() == Drained(completed=3)


def test_assertions_match_fields_and_whole_jobs(jobs: JobTester) -> None:
    """A kind, some fields, or an equal job match; a failure lists the jobs of the kind."""
    jobs.runner.enqueue_batch([SendWelcome(user_id=1), SendWelcome(user_id=2, vip=True)])
    assert len(jobs.assert_enqueued(SendWelcome)) == 2
    [first] = jobs.assert_enqueued(SendWelcome, user_id=1)
    assert first.queue == "emails"
    jobs.assert_enqueued("emails:welcome", user_id=2, vip=True)
    jobs.assert_enqueued(SendWelcome(user_id=2, vip=True))
    jobs.refute_enqueued(SendWelcome, user_id=3)
    jobs.refute_enqueued(Count)
    with pytest.raises(
        AssertionError, match=r"no job 'emails:welcome' with user_id=3 .* there are 2: pending .*user_id=1"
    ):
        jobs.assert_enqueued(SendWelcome, user_id=3)
    with pytest.raises(AssertionError, match=r"no job 'count' was enqueued; the kinds .* are: emails:welcome"):
        jobs.assert_enqueued(Count)
    with pytest.raises(AssertionError, match=r"1 jobs 'emails:welcome' with user_id=1 were enqueued"):
        jobs.refute_enqueued(SendWelcome, user_id=1)


def test_assertions_about_a_block(jobs: JobTester) -> None:
    """Jobs from before the block do not count."""
    jobs.runner.enqueue(Count(number=1))
    with jobs.refute_enqueues(Count):
        pass
    with pytest.raises(AssertionError, match="no job 'count' was enqueued"), jobs.assert_enqueues(Count):
        pass
    with jobs.assert_enqueues(Count, number=1):
        jobs.runner.enqueue(Count(number=1))


def test_functions_match_by_payload(jobs: JobTester) -> None:
    """The keys of a dict match as fields do, and a job of a function matches by its whole payload."""

    @jobs.runner.job("sum")
    def total(payload: dict[str, int], ctx: Context) -> int:
        return sum(payload.values())

    jobs.runner.enqueue(total.job({"left": 1, "right": 2}))
    jobs.assert_enqueued(total, left=1)
    jobs.assert_enqueued(total.job({"left": 1, "right": 2}))
    jobs.refute_enqueued(total, other=1)


def test_inline_jobs_run_when_they_are_enqueued(runner: Runner, url: str) -> None:
    """A due job has its result when `enqueue` returns; later jobs and retries run as the clock passes them."""
    with inline(runner, url=url, start=START) as jobs:
        assert runner.result(runner.enqueue(SendWelcome(user_id=1))) == "welcome 1"
        jobs.refute_enqueued(Count)
        jobs.advance(days=2)
        [count] = jobs.assert_enqueued(Count, number=1)
        assert count.finished_at == START + timedelta(days=1)
        with pytest.raises(ConnectionError, match="attempt 1"):
            runner.enqueue(Fail())


def test_inline_failures_can_be_stored_only(runner: Runner, url: str) -> None:
    """With `raises=False`, `enqueue` returns, and `advance` runs the retries at their times."""
    with inline(runner, url=url, start=START, raises=False) as jobs:
        job = runner.enqueue(Fail())
        assert runner.get(job).state is State.RETRYING
        jobs.advance(hours=1)
        assert runner.get(job).finished_at == START + timedelta(minutes=20)


def test_async_tests(runner: Runner, url: str) -> None:
    """In an async test, `adrain` runs async handlers on the test's loop; `drain` and inline work, too."""
    loops: list[asyncio.AbstractEventLoop] = []

    @runner.job("note")
    async def note(payload: int, ctx: Context) -> None:
        loops.append(asyncio.get_running_loop())
        await Runner.current().aenqueue(Count(number=payload))

    async def body() -> None:
        with manual(runner, url=url) as jobs:
            await runner.aenqueue(note.job(1))
            assert await jobs.adrain() == Drained(completed=2)
            assert loops == [asyncio.get_running_loop()]
            await runner.aenqueue(note.job(2))
            assert jobs.drain() == Drained(completed=2)
            assert loops[1] is not loops[0]
        with inline(runner, url=url) as jobs:
            await runner.aenqueue(note.job(3))
            assert [record.state for record in jobs.enqueued(Count, number=3)] == [State.COMPLETED]

    asyncio.run(body())


def test_two_blocks_share_nothing(runner: Runner, url: str) -> None:
    """Each block has a store of its own, which is gone afterwards, and the runner has its first store again."""
    for _ in range(2):
        with manual(runner, url=url) as jobs:
            assert jobs.enqueued(Count) == []
            runner.enqueue(Count(number=1))
    assert "nowhere" in repr(runner.settings.backend)


def test_an_ephemeral_store(url: str) -> None:
    """The store exists inside the block only."""
    with ephemeral(url) as own, open_backend(own) as backend:
        assert own != url
        assert backend.stats().total == 0
