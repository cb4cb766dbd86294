"""A worker fires the ticks of the schedules in its store."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import (
    Advance,
    Context,
    Filter,
    InvalidArgument,
    NewSchedule,
    OutcomeUnknown,
    Runner,
    Schedule,
    Unavailable,
    Unsupported,
    tick_id,
)
from tallystick_memory import MemoryBackend

from ..helpers import LONG, SECOND, MakeRunner, eventually, threads

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def note_ticks(runner: Runner) -> list[datetime | None]:
    """Register a job of kind "note" that notes its tick, and return the notes."""
    ticks: list[datetime | None] = []

    @runner.job("note")
    def note(payload: Any, ctx: Context) -> None:
        ticks.append(ctx.tick)

    return ticks


def late(name: str = "late", *, by: timedelta = HOUR, rule: str = "every minute", **fields: Any) -> NewSchedule:
    """Return a schedule whose first tick was due some time ago."""
    after = datetime.now(UTC) - by
    return NewSchedule(name=name, rule=rule, kind="note", payload=b"null", after=after, **fields)


def put(runner: Runner, *schedules: NewSchedule) -> None:
    """Store schedules as another client does."""
    runner.backend.put_schedules(schedules)


def is_decided(runner: Runner, name: str) -> bool:
    """Return whether a schedule waits for a tick in the future."""
    [schedule] = runner.backend.schedules([name])
    return schedule.next_tick is not None and schedule.next_tick > datetime.now(UTC)


def test_a_schedule_of_every_second_fires_each_second(runner: Runner) -> None:
    """The ticks follow each other by a second, and each is a job with the id of its tick."""
    ticks = note_ticks(runner)
    put(runner, NewSchedule(name="often", rule="every second", kind="note", payload=b"null", missed="all"))
    runner.start()
    eventually(lambda: len(ticks) >= 3)
    first, second, third = ticks[:3]
    assert first is not None
    assert (second, third) == (first + SECOND, first + 2 * SECOND)
    assert tick_id("often", first) in runner.backend.get([tick_id("often", first)])


def test_a_missed_tick_fires_by_the_policy(make_runner: MakeRunner) -> None:
    """After an hour without a worker, `all` fires each minute, `last` the latest one, and `skip` none."""
    runner = make_runner(batch=1_000)
    note_ticks(runner)
    put(runner, late("all", missed="all"), late("last", missed="last"), late("skip", rule="@yearly", missed="skip"))
    runner.start()
    eventually(lambda: is_decided(runner, "all") and is_decided(runner, "last"))
    jobs = {name: runner.backend.list(Filter(tags=[f"schedule:{name}"]), limit=100) for name in ("all", "last", "skip")}
    assert 59 <= len(jobs["all"]) <= 62
    assert 1 <= len(jobs["last"]) <= 3
    assert not jobs["skip"]


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_more_schedules_are_due_than_fit_in_a_batch(make_runner: MakeRunner, batch: int) -> None:
    """Every due schedule fires, whatever the size of a batch, and no call exceeds it."""
    backend = Counting()
    runner = make_runner(backend, batch=batch)
    ticks = note_ticks(runner)
    put(
        runner, *(late(f"s-{n}", rule="@daily", by=2 * timedelta(days=1), window=timedelta(days=9)) for n in range(120))
    )
    runner.start()
    eventually(lambda: len(ticks) == 120)
    assert max(len(advances) for advances in backend.advanced) <= batch


class Counting(MemoryBackend):
    """Counts the calls about schedules."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.advanced: list[Sequence[Advance]] = []

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        """Count a read."""
        self.reads += 1
        return super().due_schedules(limit=limit)

    def advance(self, advances: Sequence[Advance], **kwargs: Any) -> Sequence[bool]:
        """Note the advances."""
        self.advanced.append(advances)
        return super().advance(advances, **kwargs)


def test_without_schedules_a_worker_only_reads(make_runner: MakeRunner) -> None:
    """Without schedules, a worker makes one read in each maintenance interval, and never writes."""
    backend = Counting()
    backend.put_schedules = None  # type: ignore[assignment]  # a call raises
    runner = make_runner(backend, maintenance=LONG)
    ticks = note_ticks(runner)
    runner.start()
    eventually(lambda: backend.reads)
    runner.stop()
    assert (backend.reads, backend.advanced, ticks) == (1, [], [])


def test_a_schedule_of_another_client_is_seen(make_runner: MakeRunner) -> None:
    """A worker that waits sees a schedule that another client stores, at its next read."""
    backend = Counting()
    runner = make_runner(backend, maintenance=SECOND / 50)
    ticks = note_ticks(runner)
    runner.start()
    eventually(lambda: backend.reads)
    put(runner, late())
    eventually(lambda: ticks)


def test_an_own_put_wakes_the_scheduler(make_runner: MakeRunner) -> None:
    """A schedule that the runner itself stores fires at once, although the scheduler waits for long."""
    backend = Counting()
    runner = make_runner(backend, maintenance=LONG)
    ticks = note_ticks(runner)
    runner.start()
    eventually(lambda: backend.reads)
    runner.put_schedule(late())
    eventually(lambda: ticks)


def test_ten_runners_fire_each_tick_once(make_runner: MakeRunner) -> None:
    """However many workers share a store, a tick has one job, and no worker fires it again."""
    backend = MemoryBackend()
    runners = [make_runner(backend, maintenance=SECOND / 5) for _ in range(10)]
    noted = [note_ticks(runner) for runner in runners]
    for runner in runners:
        runner.start()
    put(runners[0], NewSchedule(name="often", rule="every second", kind="note", payload=b"null", missed="all"))
    runners[0].resume_schedule("often")
    eventually(lambda: sum(map(len, noted)) >= 3)
    for runner in runners:
        runner.stop()
    ticks = [tick for notes in noted for tick in notes if tick]
    assert len(ticks) == len(set(ticks))


class Refusing(Counting):
    """Rejects the first advance, as if another worker was first or its clock was behind."""

    def advance(self, advances: Sequence[Advance], **kwargs: Any) -> Sequence[bool]:
        """Reject the first call."""
        if not self.advanced:
            self.advanced.append(advances)
            return [False] * len(advances)
        return super().advance(advances, **kwargs)


class Failing(Counting):
    """Raises an error at the first advance; a subclass sets it."""

    error: Exception

    def advance(self, advances: Sequence[Advance], **kwargs: Any) -> Sequence[bool]:
        """Raise at the first call."""
        if not self.advanced:
            self.advanced.append(advances)
            raise self.error
        return super().advance(advances, **kwargs)


class Down(Failing):
    """Is unavailable at first."""

    error = Unavailable("down")


class Unsure(Failing):
    """Loses the first reply."""

    error = OutcomeUnknown("lost")


@pytest.mark.parametrize("backend", [Refusing, Down, Unsure])
def test_a_failed_advance_is_repeated(make_runner: MakeRunner, backend: type[Counting]) -> None:
    """After a rejection or a failure of the store, the worker reads the schedules again, and the tick fires."""
    runner = make_runner(backend(), maintenance=LONG)
    ticks = note_ticks(runner)
    put(runner, late())
    runner.start()
    eventually(lambda: ticks)


class Broken(MemoryBackend):
    """Returns a schedule whose rule was damaged by hand, before the others."""

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        """Damage the rule of the schedule `broken`."""
        found = super().due_schedules(limit=limit)
        return [each._replace(rule="nonsense") if each.name == "broken" else each for each in found]


class Picky(MemoryBackend):
    """Rejects the schedule `broken`, and each call that has it."""

    def advance(self, advances: Sequence[Advance], **kwargs: Any) -> Sequence[bool]:
        """Reject the call."""
        if any(each.name == "broken" for each in advances):
            raise InvalidArgument("its payload is too large")
        return super().advance(advances, **kwargs)


@pytest.mark.parametrize("backend", [Broken, Picky])
def test_a_broken_schedule_does_not_stop_the_others(
    make_runner: MakeRunner, caplog: pytest.LogCaptureFixture, backend: type[MemoryBackend]
) -> None:
    """A schedule that cannot fire is logged once with its name, and the other schedules fire."""
    runner = make_runner(backend(), maintenance=SECOND / 50)
    ticks = note_ticks(runner)
    put(runner, late("broken"), late("whole"), late("often", rule="every second"))
    runner.start()
    eventually(lambda: len(ticks) >= 3)
    assert sum("'broken' does not fire" in log.getMessage() for log in caplog.records) == 1


class Unscheduled(MemoryBackend):
    """A store without schedules."""

    def due_schedules(self, *, limit: int) -> Sequence[Schedule]:
        """Raise."""
        raise Unsupported("no schedules here")


def test_a_store_without_schedules(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """On a store without schedules, the worker runs jobs, and its scheduler ends without a warning."""
    runner = make_runner(Unscheduled())
    note_ticks(runner)
    runner.start()
    handle = runner.enqueue_raw("note", b"null")
    runner.result(handle, timeout=LONG)
    eventually(lambda: not threads("tallystick-scheduler"))
    assert not [log for log in caplog.records if log.levelname != "INFO"]


def test_a_stop_does_not_wait_for_the_next_tick(make_runner: MakeRunner) -> None:
    """The scheduler of a worker with a tick in a year ends with the worker."""
    backend = Counting()
    runner = make_runner(backend, maintenance=LONG)
    note_ticks(runner)
    put(runner, NewSchedule(name="rare", rule="@yearly", kind="note"))
    runner.start()
    eventually(lambda: backend.reads)
    runner.stop()
    assert not threads("tallystick-scheduler")
