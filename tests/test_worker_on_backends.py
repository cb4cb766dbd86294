"""The life of a worker on each backend: queues, schedules, losses, rescues, numbers and the end of its process."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from support import PATIENCE, Spawn, eventually
from tallystick import (
    Call,
    Claim,
    Context,
    Enqueue,
    Fixed,
    Outcome,
    PayloadTooLarge,
    Record,
    Runner,
    State,
    Status,
    Stop,
    hookimpl,
    open_backend,
)

SOON = timedelta(seconds=PATIENCE)
HOUR = timedelta(hours=1)
AT_ONCE = timedelta(0)


@pytest.fixture
def runner(url: str) -> Iterator[Runner]:
    """Return a runner on each backend, with one thread and leases of an hour."""
    with Runner(url, poll=timedelta(milliseconds=50), concurrency=1, lease=HOUR) as runner:
        yield runner


class Losses:
    """Notes the lost claims."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []

    @hookimpl
    def tallystick_lost(self, claims: Sequence[Claim]) -> None:
        """Note them."""
        self.claims += claims


def test_a_loss_is_reported_while_the_handler_runs(runner: Runner) -> None:
    """If another worker rescues a job, the hook and the running handler learn of it long before the lease ends."""
    begun, reported, losses = Event(), Event(), Losses()
    reasons: list[Stop | None] = []

    @runner.job("hold", max_attempts=1)
    def hold(payload: None, ctx: Context) -> None:
        begun.set()
        eventually(lambda: bool(losses.claims))
        reasons.append(ctx.stop)
        reported.set()

    runner.add_hooks(losses)
    job = runner.enqueue(hold.job(None))
    runner.start()
    assert begun.wait(PATIENCE)
    runner.backend.rescue(limit=1, now=datetime.now(UTC) + 2 * HOUR)
    assert reported.wait(PATIENCE)
    assert reasons == [Stop.LOST]
    assert [claim.id for claim in losses.claims] == [job.id]
    assert runner.get(job).state is State.DISCARDED


def test_the_numbers_of_a_runner_agree_with_its_callbacks(runner: Runner) -> None:
    """Each way to end is counted once and reported once, also for jobs that a rescue ends."""
    ends: list[str] = []

    @runner.job("end", max_attempts=2, retry=Fixed(AT_ONCE))
    def end(fails: int, ctx: Context) -> None:
        if ctx.attempt <= fails:
            raise ValueError(fails)

    for event in ("retried", "completed", "discarded", "cancelled"):

        def note(record: Record, outcome: Outcome, event: str = event) -> None:
            ends.append(event)

        getattr(runner, f"on_{event}")(note)
    past = datetime(2001, 1, 1, tzinfo=UTC)
    dead = runner.enqueue(end.job(0), run_at=past, max_attempts=1)
    runner.backend.claim(["default"], limit=1, worker="dead", lease=timedelta(seconds=1), now=past)
    jobs = runner.enqueue_batch([end.job(fails) for fails in (0, 1, 2)])
    runner.start()
    results = runner.wait_for_all([dead, *jobs], timeout=SOON)
    assert [result.status for result in results] == [
        Status.DISCARDED,
        Status.COMPLETED,
        Status.COMPLETED,
        Status.DISCARDED,
    ]
    eventually(lambda: len(ends) == 6)
    numbers = runner.snapshot()
    assert (numbers.completed, numbers.retried, numbers.discarded, numbers.rescued) == (2, 2, 2, 1)
    assert sorted(ends) == ["completed"] * 2 + ["discarded"] * 2 + ["retried"] * 2


def test_schedules_in_code_leave_changes_by_hand(url: str) -> None:
    """A start stores new and changed declarations. Schedules made by hand stay, and so does a pause."""
    shared = open_backend(url)

    def start(rule: str) -> None:
        runner = Runner(shared, auto_setup=True)

        @runner.schedule(rule, zone="Europe/Madrid", missed="last", name="nightly")
        @runner.job("report")
        def report(payload: None, ctx: Context) -> None: ...

        with runner:
            runner.start()
            runner.stop()

    with shared, Runner(shared) as person:
        shared.setup()
        start("0 3 1 1 *")
        person.pause_schedule("nightly")
        by_hand = person.put_schedule("0 4 1 1 *", _job(person), name="by hand")
        before = shared.schedules()
        start("0 3 1 1 *")
        assert shared.schedules() == before
        start("0 5 1 1 *")
        assert [(each.name, each.rule, each.paused) for each in shared.schedules()] == [
            ("by hand", "0 4 1 1 *", False),
            ("nightly", "0 5 1 1 *", True),
        ]
        assert shared.schedules(["by hand"]) == [by_hand]


def _job(runner: Runner) -> Call[None]:
    @runner.job("by_hand")
    def by_hand(payload: None, ctx: Context) -> None: ...

    return by_hand.job(None)


def test_a_stuck_handler_is_counted_and_replaced(runner: Runner) -> None:
    """A sync handler past its timeout has failed. Another thread takes its place, until it returns."""
    release = Event()

    @runner.job("stick", timeout=timedelta(milliseconds=1), max_attempts=1)
    def stick(payload: None, ctx: Context) -> None:
        release.wait(PATIENCE)

    @runner.job("note")
    def note(payload: str, ctx: Context) -> str:
        return payload

    try:
        stuck, other = runner.enqueue(stick.job(None), priority=1), runner.enqueue(note.job("worked"))
        runner.start()
        assert runner.result(other, timeout=SOON) == "worked"
        record = runner.wait_for(stuck, timeout=SOON).record
        assert record is not None
        assert record.last_error is not None
        assert (record.state, record.last_error.type) == (State.DISCARDED, "TimeoutError")
        assert runner.snapshot().stuck == 1
    finally:
        release.set()
    eventually(lambda: runner.snapshot().stuck == 0)


def test_weights_do_not_starve_a_queue(url: str) -> None:
    """A light queue is worked beside a heavy one with a higher priority and a long backlog."""
    queues = {"heavy": 3, "light": 1}
    with Runner(url, concurrency=1, queues=list(queues), queue_weights=queues) as runner:
        done: list[str] = []

        @runner.job("note")
        def note(payload: None, ctx: Context) -> None:
            done.append(ctx.queue)

        runner.enqueue_batch([note.job(None)] * 200, queue="heavy", priority=5)
        light = runner.enqueue_batch([note.job(None)] * 10, queue="light")
        runner.start()
        runner.wait_for_all(light, timeout=SOON)
        assert done.index("light") < 200


def test_options_of_single_items_of_a_batch(runner: Runner) -> None:
    """Each item of a batch has its own due time, key and priority. A payload that is too large stores none of them."""

    @runner.job("note")
    def note(payload: str, ctx: Context) -> None: ...

    options = [
        Enqueue(note.job("a"), run_at=HOUR),
        Enqueue(note.job("b"), priority=7, unique_key="b"),
        Enqueue(note.job("c"), queue="other", tags=("x",)),
        Enqueue(note.job("d"), unique_key="b"),
    ]
    later, first, other, duplicate = [handle.record for handle in runner.enqueue_batch(options)]
    assert later.run_at - later.created_at == HOUR
    assert (first.priority, first.unique_key, duplicate.id) == (7, "b", first.id)
    assert (other.queue, other.tags, first.queue) == ("other", ("x",), "default")
    with Runner(runner.backend, max_payload_bytes=10) as small:
        small.register(note)
        with pytest.raises(PayloadTooLarge, match="the setting max_payload_bytes allows 10"):
            small.enqueue_batch([note.job("e"), note.job("e" * 20)])
    assert runner.stats().total == 3


def test_jobs_in_progress_are_released_when_a_program_ends(shared_url: str, spawn: Spawn) -> None:
    """A program that ends without `stop` releases its jobs, which keep all their attempts."""
    with open_backend(shared_url) as backend:
        backend.setup()
        assert spawn("forgetful.py", shared_url).wait(timeout=PATIENCE) == 0
        [record] = backend.claim(["default"], limit=10, worker="next", lease=HOUR)
        assert (record.kind, record.errors) == ("block", ())
