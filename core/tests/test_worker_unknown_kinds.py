"""Jobs of kinds that this runner does not know, but another may."""

from datetime import timedelta
from uuid import UUID

import pytest
from tallystick import Context, NewRecord, Runner, State

from .helpers import LONG, eventually


@pytest.fixture
def stranger(runner: Runner) -> UUID:
    """Insert a job that the runner does not know, beside one that it does; return its id."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    [inserted] = runner.backend.insert([NewRecord(kind="stranger", payload=b"?", max_attempts=1)])
    return inserted.record.id


def test_put_back(runner: Runner, stranger: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A claimed job of an unknown kind is put back for another worker, in a while and at no cost; the log tells."""
    runner.start()
    eventually(lambda: (r := runner.get(stranger)).state is State.PENDING and r.attempt)
    record = runner.get(stranger)
    assert (record.attempt, record.max_attempts, record.last_error) == (1, 2, None)
    assert record.run_at - record.updated_at == timedelta(seconds=30)
    [warning] = [log for log in caplog.records if "no handler for kind 'stranger'" in log.message]
    assert warning.__dict__["job_id"] == str(stranger)


def test_others_are_worked(runner: Runner, stranger: UUID) -> None:
    """Jobs of known kinds are worked all the same."""
    known = runner.enqueue_raw("echo", b"7")
    runner.start()
    assert runner.result(known, timeout=LONG) == 7


def test_another_runner(runner: Runner, stranger: UUID) -> None:
    """A runner that knows the kind works it, with all its attempts, once it is due again."""
    runner.start()
    eventually(lambda: (r := runner.get(stranger)).state is State.PENDING and r.attempt)
    runner.stop()
    other = Runner(runner.backend, poll=timedelta(milliseconds=20))

    @other.raw("stranger")
    def work(payload: bytes, ctx: Context) -> bytes:
        return payload

    runner.cancel(stranger)
    runner.requeue(stranger)
    with other:
        other.start()
        assert other.result(stranger, timeout=LONG) == b"?"
