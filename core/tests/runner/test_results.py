import asyncio
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from tallystick import (
    Complete,
    Context,
    DiscardJob,
    Handle,
    InvalidArgument,
    Job,
    JobCancelled,
    JobDiscarded,
    JobNotFound,
    NewRecord,
    NotFinished,
    ResultExpired,
    Runner,
    State,
    Status,
    UnknownKind,
    declare,
)
from tallystick_memory import MemoryBackend

from ..helpers import AT_ONCE, LONG, SECOND, MakeRunner


class Receipt(BaseModel):
    """A typical result of an application."""

    number: int


class Buy(Job[Receipt]):
    """Returns a receipt, and is discarded if there is nothing to buy."""

    kind = "buy"

    amount: int

    def work(self, ctx: Context) -> Receipt:
        """Buy, or discard the job."""
        if not self.amount:
            raise DiscardJob("nothing to buy")
        return Receipt(number=self.amount)


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner that has the job registered."""
    runner = make_runner()
    runner.register(Buy)
    return runner


def test_result(runner: Runner) -> None:
    """A result is stored as JSON, and `result` returns the handler's value with its type."""
    handle = runner.enqueue(Buy(amount=7))
    runner.start()
    assert runner.result(handle, timeout=LONG) == Receipt(number=7)
    assert runner.result(handle.id) == Receipt(number=7)
    assert runner.get(handle).result == b'{"number":7}'


def test_function_result(runner: Runner) -> None:
    """`result` returns a function's value with the annotated type."""

    @runner.job("split")
    def split(payload: str, ctx: Context) -> tuple[str, ...]:
        return tuple(payload)

    runner.start()
    assert runner.result(runner.enqueue(split.job("abc")), timeout=LONG) == ("a", "b", "c")


def test_no_result(runner: Runner) -> None:
    """A handler without a return value has the result None."""

    @runner.job("silent")
    def silent(payload: None, ctx: Context) -> None: ...

    runner.start()
    handle: Handle[None] = runner.enqueue(silent.job(None))
    assert runner.result(handle.id, timeout=LONG) is None


def test_raw_result(runner: Runner) -> None:
    """A raw job's result is the bytes that its handler returned."""

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> bytes:
        return payload[::-1]

    runner.start()
    assert runner.result(runner.enqueue(raw.job(b"\0\xff")), timeout=LONG) == b"\xff\0"


def test_not_finished(runner: Runner) -> None:
    """Before a job has finished, `result` raises NotFinished: at once by default, else at the timeout."""
    handle = runner.enqueue(Buy(amount=7))
    with pytest.raises(NotFinished, match="is pending, attempt 0 of 20"):
        runner.result(handle)
    with pytest.raises(NotFinished):
        runner.result(handle, timeout=SECOND / 50)


def test_discarded(runner: Runner) -> None:
    """`result` of a discarded job raises JobDiscarded with its last error."""
    handle = runner.enqueue(Buy(amount=0))
    runner.start()
    with pytest.raises(JobDiscarded, match="DiscardJob: nothing to buy"):
        runner.result(handle, timeout=LONG)


def test_cancelled(runner: Runner) -> None:
    """`result` of a cancelled job raises JobCancelled."""
    handle = runner.enqueue(Buy(amount=7))
    runner.cancel(handle)
    with pytest.raises(JobCancelled, match="was cancelled"):
        runner.result(handle, timeout=LONG)


def test_not_there(runner: Runner) -> None:
    """`result` of a deleted or unknown job raises JobNotFound."""
    handle = runner.enqueue(Buy(amount=7))
    runner.delete(handle)
    for id in (handle.id, uuid4()):
        with pytest.raises(JobNotFound, match=str(id)):
            runner.result(id, timeout=LONG)


def test_result_of_an_unknown_kind(runner: Runner, make_runner: MakeRunner) -> None:
    """A runner cannot read the result of a kind that it does not know."""
    handle = runner.enqueue(Buy(amount=7))
    runner.start()
    runner.result(handle, timeout=LONG)
    other = make_runner(runner.backend)
    with pytest.raises(UnknownKind, match="'buy'"):
        other.result(handle)


def test_errors_carry_the_record(runner: Runner) -> None:
    """JobDiscarded and JobCancelled carry the record and the failure, even after pickling."""
    handle, cancelled = runner.enqueue(Buy(amount=0)), runner.enqueue(Buy(amount=1), run_at=LONG)
    runner.cancel(cancelled)
    runner.start()
    with pytest.raises(JobDiscarded) as discarded:
        runner.result(handle, timeout=LONG)
    for error in discarded.value, pickle.loads(pickle.dumps(discarded.value)):
        assert error.record == runner.get(handle)
        assert error.failure == error.record.last_error
        assert error.failure is not None
        assert error.failure.message == "nothing to buy"
        assert "nothing to buy" in str(error)
    with pytest.raises(JobCancelled) as caught:
        runner.result(cancelled)
    assert caught.value.record == runner.get(cancelled)


def test_wait_for(runner: Runner) -> None:
    """`wait_for` returns how a job stands, with its record, and raises nothing until its value is read."""
    good, bad = runner.enqueue(Buy(amount=7)), runner.enqueue(Buy(amount=0))
    later, cancelled = runner.enqueue(Buy(amount=1), run_at=LONG), runner.enqueue(Buy(amount=1), run_at=LONG)
    runner.cancel(cancelled)
    runner.start()
    completed = runner.wait_for(good)
    assert (completed.status, completed.value, completed.id) == (Status.COMPLETED, Receipt(number=7), good.id)
    assert completed.record == runner.get(good)
    statuses = [runner.wait_for(job.id).status for job in (bad, cancelled)]
    assert statuses == [Status.DISCARDED, Status.CANCELLED]
    assert runner.wait_for(later, timeout=AT_ONCE).status is Status.NOT_FINISHED
    assert runner.wait_for(uuid4()).status is Status.NOT_FOUND
    with pytest.raises(JobDiscarded):
        _ = runner.wait_for(bad).value


def test_wait_for_all(runner: Runner) -> None:
    """`wait_for_all` returns one result for each job, in the order given, also for a job that is given twice."""
    jobs = [runner.enqueue(Buy(amount=amount)) for amount in (3, 0, 2, 1)]
    runner.start()
    results = runner.wait_for_all([*jobs, jobs[0]], timeout=LONG)
    assert [result.id for result in results] == [job.id for job in [*jobs, jobs[0]]]
    assert [result.status for result in results] == [
        *(Status.COMPLETED, Status.DISCARDED, Status.COMPLETED, Status.COMPLETED, Status.COMPLETED)
    ]
    assert results[2].value == Receipt(number=2)
    assert runner.wait_for_all([]) == []
    wrong: Any = jobs[0]
    with pytest.raises(InvalidArgument, match="pass a list of handles or ids"):
        runner.wait_for_all(wrong)


def test_wait_for_all_ends_at_its_timeout(runner: Runner) -> None:
    """At the timeout, the jobs that have finished have results, and the others are not finished."""
    first, last = runner.enqueue(Buy(amount=1)), runner.enqueue(Buy(amount=2), run_at=LONG)
    runner.start()
    runner.wait_for(first)
    results = runner.wait_for_all([last.id, first.id], timeout=SECOND / 50)
    assert [result.status for result in results] == [Status.NOT_FINISHED, Status.COMPLETED]


def test_await_for(runner: Runner) -> None:
    """The async variants return the same, and leave the event loop free."""

    async def main() -> None:
        job, bad = await runner.aenqueue(Buy(amount=7)), await runner.aenqueue(Buy(amount=0))
        waiting = asyncio.create_task(runner.await_for_all([job, bad.id]))
        await runner.astart()
        assert [result.status for result in await waiting] == [Status.COMPLETED, Status.DISCARDED]
        assert (await runner.await_for(job)).value == Receipt(number=7)
        later = await runner.aenqueue(Buy(amount=7), run_at=LONG)
        assert (await runner.await_for(later.id, timeout=AT_ONCE)).status is Status.NOT_FINISHED

    asyncio.run(main())


def test_waits_for_more_jobs_than_a_batch(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner reads no more records at once than the store allows."""
    jobs = runner.enqueue_batch([Buy(amount=n + 1) for n in range(7)])
    runner.start()
    monkeypatch.setattr(MemoryBackend, "capabilities", replace(runner.backend.capabilities, max_batch=3))
    assert [result.value.number for result in runner.wait_for_all(jobs)] == [1, 2, 3, 4, 5, 6, 7]


def finished(runner: Runner, age: timedelta, state: State = State.COMPLETED) -> Handle[Receipt]:
    """Store a job that was created and finished some time ago."""
    then = datetime.now(UTC) - age
    id = UUID(int=(int(then.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | uuid4().int % 2**62)
    [inserted] = runner.backend.insert([NewRecord(kind="buy", payload=b'{"amount": 1}', id=id)], now=then)
    if state is State.COMPLETED:
        [record] = runner.backend.claim(["default"], limit=1, worker="w", lease=LONG, now=then)
        runner.backend.settle([Complete(record.claim, b'{"number": 1}')], now=then)
    return Handle.of(inserted)


def test_result_expires(make_runner: MakeRunner) -> None:
    """After `keep_result`, the result of a completed job has expired, while its record is still there."""
    runner = make_runner()

    class Kept(Buy):
        keep_result = timedelta(minutes=10)

    runner.register(Kept)
    young, old = finished(runner, timedelta(minutes=9)), finished(runner, timedelta(minutes=11))
    assert runner.result(young) == Receipt(number=1)
    result = runner.wait_for(old)
    assert (result.status, result.record) == (Status.EXPIRED, runner.get(old))
    with pytest.raises(ResultExpired, match=r"result of job .* has expired: the job completed at"):
        runner.result(old)


def test_purged_or_never_stored(runner: Runner) -> None:
    """A job that is missing has expired if jobs of its age are purged; a younger one was never stored, or deleted."""
    old, young = finished(runner, timedelta(hours=25)), finished(runner, timedelta(hours=23))
    runner.delete(old)
    runner.delete(young)
    for job in (old, old.id):
        assert runner.wait_for(job).status is Status.EXPIRED
        with pytest.raises(ResultExpired, match="the records of jobs of its age are purged"):
            runner.result(job)
    for job in (young, young.id, uuid4(), UUID(int=2**128 - 1)):
        with pytest.raises(JobNotFound, match="never stored, or it was deleted"):
            runner.result(job)


def test_expiry_follows_the_retention(make_runner: MakeRunner) -> None:
    """How old a purged job is at least depends on the settings, and on the options of its kind."""
    forever = make_runner(keep_completed=None, keep_discarded=None, keep_cancelled=None)
    forever.register(Buy)
    old = finished(forever, timedelta(days=1_000))
    forever.delete(old)
    assert {forever.wait_for(job).status for job in (old, old.id)} == {Status.NOT_FOUND}

    class Short(Buy):
        keep_discarded = timedelta(minutes=1)

    short = make_runner(keep_completed=None, keep_discarded=None, keep_cancelled=None)
    short.register(Short)
    old = finished(short, timedelta(minutes=2))
    short.delete(old)
    assert {short.wait_for(job).status for job in (old, old.id)} == {Status.EXPIRED}


def test_a_result_by_id_and_class(runner: Runner) -> None:
    """The class, or its declaration, decodes the result of a job by its id; a bare id decodes it by its kind."""
    runner.start()
    id = runner.enqueue(Buy(amount=3)).id
    assert runner.result(id, Buy, timeout=LONG) == Receipt(number=3)
    assert runner.wait_for(id, declare("buy", dict[str, int], dict[str, int])).value == {"number": 3}
    assert asyncio.run(runner.aresult(id, Buy)) == Receipt(number=3)
    assert asyncio.run(runner.await_for(id, Buy)).value == runner.result(id)


def test_a_result_of_another_kind(runner: Runner) -> None:
    """A class of another kind is rejected, and so is a class that is not registered, or no job at all."""

    @runner.job("other")
    def other(payload: int, ctx: Context) -> None: ...

    class Unknown(Buy):
        kind = "unknown"

    id = runner.enqueue(Buy(amount=3)).id
    with pytest.raises(InvalidArgument, match=r"of the kind 'buy', not 'other'"):
        runner.result(id, other)
    with pytest.raises(UnknownKind, match="Unknown is not registered"):
        runner.result(id, Unknown)
    anything: list[Any] = ["buy", 7, Receipt, Buy(amount=1)]
    for wrong in anything:
        with pytest.raises(InvalidArgument, match="pass a Job class"):
            runner.result(id, wrong)


def test_a_class_without_work_reads_results(runner: Runner) -> None:
    """A producer's class, without a handler, decodes results, too; so does an alias of its kind."""

    class Bought(Job[Receipt]):
        kind = "bought"
        aliases = ("buy",)
        amount: int

    runner.start()
    id = runner.enqueue(Buy(amount=3)).id
    assert runner.result(id, Bought, timeout=LONG) == Receipt(number=3)


def test_a_handle_is_shown_in_one_line(runner: Runner) -> None:
    """`repr` shows the kind, the id, the state, and whether no job was added."""
    handle = runner.enqueue(Buy(amount=1), unique_key="one")
    assert repr(handle) == f"<Handle 'buy' {handle.id} pending>"
    assert repr(runner.enqueue(Buy(amount=1), unique_key="one")) == f"<Handle 'buy' {handle.id} pending, duplicate>"
    replaced = runner.enqueue(Buy(amount=2), unique_key="one", on_conflict="replace")
    assert repr(replaced) == f"<Handle 'buy' {handle.id} pending, replace>"
