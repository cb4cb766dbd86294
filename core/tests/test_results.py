import pickle
from uuid import uuid4

import pytest
from pydantic import BaseModel
from tallystick import (
    Context,
    DiscardJob,
    Handle,
    Job,
    JobCancelled,
    JobDiscarded,
    JobNotFound,
    NotFinished,
    Runner,
    UnknownKind,
)

from .helpers import LONG, SECOND, MakeRunner


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
