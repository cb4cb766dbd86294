"""Types of calls that applications make: results by id, options passed on, batches, schedules and tests.

mypy checks this file, and `test_pyright.py` checks it, too.
"""

from datetime import timedelta
from typing import Any, TypeVar, Unpack, assert_type
from uuid import UUID

from tallystick import (
    BatchOptions,
    Call,
    Context,
    Declaration,
    Enqueue,
    EnqueueOptions,
    Filter,
    Handle,
    Job,
    JobResult,
    PayloadCodec,
    Record,
    RetryPolicy,
    Runner,
    Schedule,
    declare,
    job,
)
from tallystick.testing import Drained, JobTester, arun_job, inline, manual, run_job

R = TypeVar("R")


class Greet(Job[str]):
    """A job."""

    kind = "people:greet"
    name: str

    def work(self, ctx: Context) -> str:
        """Return a greeting."""
        assert_type(ctx.id, UUID)
        assert_type(ctx.attempt, int)
        ctx.check()
        return f"Hello, {self.name}!"


@job("numbers:double")
def double(payload: int, ctx: Context) -> int:
    """Return the double."""
    return 2 * payload


send = declare("emails:send", int, bool)
log = declare("logs:write", str)


def later(job: Job[R] | Call[R], **options: Unpack[EnqueueOptions]) -> Handle[R]:
    """Enqueue in an hour: a function of an application that passes options on."""
    return Runner.current().enqueue(job, run_at=timedelta(hours=1), **options)


def all_later(jobs: list[Job[R]], **options: Unpack[BatchOptions]) -> list[Handle[R]]:
    """Enqueue many in an hour."""
    return Runner.current().enqueue_batch(jobs, run_at=timedelta(hours=1), **options)


assert_type(double.job(1), Call[int])
assert_type(send.job(1), Call[bool])
assert_type(log, Declaration[str, Any])


def of_results(runner: Runner, id: UUID) -> None:
    """Read results by handle, and by id with the class or the definition."""
    assert_type(runner.result(id, Greet), str)
    assert_type(runner.result(id, double, timeout=timedelta(1)), int)
    assert_type(runner.result(id, send), bool)
    assert_type(runner.wait_for(id, Greet), JobResult[str])
    assert_type(runner.wait_for(id, send).value, bool)
    assert_type(runner.wait_for_all([runner.enqueue(Greet(name="a"))])[0].value, str)
    assert_type(runner.get(runner.enqueue(Greet(name="a"))), Record)
    assert_type(runner.enqueue(Greet(name="a")).id, UUID)


async def of_async_results(runner: Runner, id: UUID) -> None:
    """The async variants have the same types."""
    assert_type(await runner.aresult(id, Greet), str)
    assert_type(await runner.await_for(id, double), JobResult[int])
    assert_type(await runner.aresult(await runner.aenqueue(double.job(1))), int)
    assert_type(await runner.aget(id), Record)


def of_enqueues(runner: Runner) -> None:
    """Options pass through functions of the application, and items of a batch keep their type."""
    assert_type(later(Greet(name="a"), queue="people"), Handle[str])
    assert_type(later(double.job(1), unique_key="one"), Handle[int])
    assert_type(all_later([Greet(name="a")], priority=3), list[Handle[str]])
    assert_type(Enqueue(Greet(name="a"), run_at=timedelta(1)), Enqueue[str])
    assert_type(runner.enqueue_batch([double.job(1), double.job(2)]), list[Handle[int]])
    assert_type(runner.enqueue_batch([Enqueue(send.job(1), priority=2)]), list[Handle[bool]])
    assert_type(runner.enqueue_in(timedelta(1), Greet(name="a")), Handle[str])
    assert_type(runner.cancel(runner.enqueue(Greet(name="a"))), int)
    assert_type(runner.requeue(Filter(kinds=["people:greet"])), int)


def of_schedules(runner: Runner) -> None:
    """A schedule takes any job, and keeps the type of the function that it decorates."""
    assert_type(runner.put_schedule("@daily", Greet(name="a")), Schedule)
    runner.schedule("@daily", double.job(1), name="doubles")
    assert_type(runner.schedule("@daily", payload=3)(double).job(1), Call[int])


def of_settings(runner: Runner) -> None:
    """Objects among the settings have their types."""
    assert_type(runner.settings.retry, RetryPolicy | None)
    assert_type(runner.settings.codec, PayloadCodec | None)
    assert_type(runner.settings.lease, timedelta)


def of_tests(runner: Runner) -> None:
    """The helpers of tests return the types of the handlers."""
    assert_type(run_job(Greet(name="a")), str)
    assert_type(run_job(double.job(1)), int)
    with manual(runner) as jobs, jobs.transaction() as transaction:
        assert_type(jobs, JobTester)
        assert_type(transaction, object)
        assert_type(jobs.drain(), Drained)
        assert_type(jobs.assert_enqueued(Greet, name="a"), list[Record])
        assert_type(jobs.enqueued(double.job(1)), list[Record])
    with inline(runner) as jobs:
        assert_type(jobs, JobTester)


async def of_async_tests(jobs: JobTester) -> None:
    """The async helpers, too."""
    assert_type(await arun_job(Greet(name="a")), str)
    assert_type(await jobs.adrain(), Drained)


def wrong(runner: Runner, id: UUID) -> None:
    """Each call is an error, so that the comment that ignores it is used."""
    later(Greet(name="a"), colour="red")  # type: ignore[call-arg]
    all_later([Greet(name="a")], unique_key="one")  # type: ignore[call-arg]
    runner.result(id, str)  # type: ignore[arg-type]
    runner.get("id")  # type: ignore[arg-type]
    runner.enqueue_in(3, Greet(name="a"))  # type: ignore[arg-type]
    Greet(nom="a")  # type: ignore[call-arg]
    Greet(name=3)  # type: ignore[arg-type]
    Greet()  # type: ignore[call-arg]
    number: int = runner.result(id, Greet)  # type: ignore[assignment]
    _ = number
