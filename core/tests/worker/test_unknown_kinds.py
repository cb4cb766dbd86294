"""Jobs of kinds that this runner does not know, but another may."""

import gc
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tallystick import Context, Definition, NewRecord, Record, Runner, State
from tallystick.messages.safe_repr import safe_repr
from tallystick_memory import MemoryBackend

from ..helpers import LONG, MakeRunner, eventually


@pytest.fixture
def stranger(runner: Runner) -> UUID:
    """Insert a job of an unknown kind, register a known kind, and return the job's id."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    [inserted] = runner.backend.insert([NewRecord(kind="stranger", payload=b"?", max_attempts=1)])
    return inserted.record.id


def test_put_back(runner: Runner, stranger: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A job of an unknown kind is released with a delay, without using up an attempt, and a warning is logged."""
    runner.start()
    eventually(lambda: (r := runner.get(stranger)).state is State.PENDING and r.attempt)
    record = runner.get(stranger)
    assert (record.attempt, record.max_attempts, record.last_error) == (1, 2, None)
    assert record.run_at - record.updated_at == timedelta(seconds=30)
    [warning] = [log for log in caplog.records if "no handler for kind 'stranger'" in log.message]
    assert warning.__dict__["job_id"] == str(stranger)


def test_others_are_worked(runner: Runner, stranger: UUID) -> None:
    """Jobs of known kinds are still worked."""
    known = runner.enqueue_raw("echo", b"7")
    runner.start()
    assert runner.result(known, timeout=LONG) == 7


def test_another_runner(runner: Runner, stranger: UUID) -> None:
    """A runner that knows the kind works the job with all its attempts."""
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


class Damaged(MemoryBackend):
    """A store that contains a job with an invalid kind, as SQL by hand can cause."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self._kind = kind

    def claim(self, *args: Any, **kwargs: Any) -> Sequence[Record]:
        """Replace the kind `damaged` by the invalid kind."""
        records = super().claim(*args, **kwargs)
        return [record._replace(kind=self._kind) if record.kind == "damaged" else record for record in records]


@pytest.mark.parametrize("kind", ["", "two\nlines", "k" * 256, b"\xff", None, ["list"]], ids=repr)
def test_invalid_kind(make_runner: MakeRunner, kind: Any) -> None:
    """A job with an invalid kind is discarded with the reason; the jobs claimed with it are worked."""
    runner = make_runner(Damaged(kind), concurrency=10)

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.backend.insert([damaged := NewRecord(kind="damaged", max_attempts=1000)])
    handles = runner.enqueue_batch([echo.job(n) for n in range(5)])
    runner.start()
    assert [runner.result(handle, timeout=LONG) for handle in handles] == [0, 1, 2, 3, 4]
    assert {runner.get(handle).attempt for handle in handles} == {1}
    eventually(lambda: runner.get(damaged.id).state is State.DISCARDED)
    record = runner.get(damaged.id)
    assert record.attempt == 1
    assert record.last_error is not None
    assert record.last_error.message.startswith(f"kind is {safe_repr(kind)}; it must be 1 to 255 printable characters")


def test_unknown_kinds_use_no_memory(make_runner: MakeRunner) -> None:
    """Releasing jobs of ever new unknown kinds does not use up the worker's memory."""
    runner = make_runner(queues=["default"])
    runner.backend.insert([NewRecord(kind=f"never-seen-{number}") for number in range(50)])
    runner.start()
    eventually(lambda: runner.snapshot().released == 50)
    gc.collect()
    definitions = [kept for kept in gc.get_objects() if type(kept) is Definition]  # isinstance would ask dead proxies
    assert not [kept.kind for kept in definitions if kept.kind.startswith("never-seen-")]


def test_logged_once(runner: Runner, stranger: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """All jobs of an unknown kind are counted, but each kind is logged once."""
    others = [NewRecord(kind=kind) for kind in ("stranger", "stranger", "other")]
    runner.backend.insert(others)
    runner.start()
    eventually(lambda: runner.snapshot().put_off == 4)
    kinds = sorted(str(log.__dict__["kind"]) for log in caplog.records if "no handler for kind" in log.getMessage())
    assert kinds == ["other", "stranger"]
