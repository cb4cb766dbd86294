"""Schedules that an application declares, stores and changes through its runner."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import (
    AlreadyStarted,
    Context,
    DefinitionError,
    DuplicateSchedule,
    Filter,
    InvalidArgument,
    InvalidPayload,
    Job,
    NewSchedule,
    Runner,
    Schedule,
    ScheduleNotFound,
    UnknownKind,
    UnknownZone,
    Unsupported,
)
from tallystick_memory import MemoryBackend

from ..helpers import LONG, MakeRunner, eventually

MINUTE = timedelta(minutes=1)


class Sync(Job[None]):
    """A job with a field."""

    kind = "sync"
    queue = "syncs"
    region: str

    def work(self, ctx: Context) -> None:
        """Do nothing."""


class Sweep(Job[None]):
    """A job without fields."""

    kind = "sweep"

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def started(runner: Runner) -> dict[str, Schedule]:
    """Start and stop a runner, and return the stored schedules by name."""
    runner.start()
    runner.stop()
    return {schedule.name: schedule for schedule in runner.schedules()}


def declare(runner: Runner, rule: str | None = "@yearly", **options: Any) -> None:
    """Declare a schedule of a job `report`."""

    @runner.schedule(rule, **options)  # type: ignore[untyped-decorator]  # `Any` fits both overloads
    @runner.job("report", queue="reports", priority=3, tags=("x",), meta={"team": "a"})
    def report(payload: int | None, ctx: Context) -> None: ...


def test_a_declared_schedule_is_stored_at_the_start(runner: Runner) -> None:
    """A declaration alone does not open the store. The start stores it with the options of the kind."""
    declare(runner, "*/5 * * * *", zone="Europe/Berlin", missed="skip", window=MINUTE, payload=7)
    assert not runner._lazy_backend.is_open
    schedule = started(runner)["report"]
    assert (schedule.rule, schedule.zone, schedule.missed, schedule.window) == (
        "*/5 * * * *",
        "Europe/Berlin",
        "skip",
        MINUTE,
    )
    assert (schedule.kind, schedule.payload, schedule.queue, schedule.priority) == ("report", b"7", "reports", 3)
    assert (schedule.tags, dict(schedule.meta), schedule.unique_key) == (("x",), {"team": "a"}, None)
    assert schedule.next_tick is not None
    assert schedule.next_tick > schedule.created_at


def test_options_of_the_declaration_replace_those_of_the_kind(runner: Runner) -> None:
    """A schedule has its own name, queue, priority and key, and an interval in place of a rule."""
    declare(runner, None, every=5 * MINUTE, name="mine", queue="q", priority=1, overlap=False)
    schedule = started(runner)["mine"]
    assert (schedule.rule, schedule.queue, schedule.priority) == ("every 5 minutes", "q", 1)
    assert schedule.unique_key == "schedule:mine"


def test_a_class_is_scheduled_with_or_without_fields(runner: Runner) -> None:
    """A class without fields can be decorated; a job with fields is passed to the call, once for each name."""
    runner.schedule("@daily")(runner.register(Sweep))
    runner.register(Sync)
    runner.schedule("@hourly", Sync(region="eu"), name="sync-eu")
    runner.schedule("@hourly", Sync(region="us"), name="sync-us")
    schedules = started(runner)
    assert list(schedules) == ["sweep", "sync-eu", "sync-us"]
    assert [schedules[name].payload for name in schedules] == [b"{}", b'{"region":"eu"}', b'{"region":"us"}']


def test_a_change_by_hand_survives_a_restart(make_runner: MakeRunner) -> None:
    """A start leaves a stored schedule as it is, also if it was changed by hand, until its declaration changes."""
    backend = MemoryBackend()
    runner = make_runner(backend)
    declare(runner, "@yearly")
    stored = started(runner)["report"]
    edited = NewSchedule(name="report", rule="@monthly", kind="report", declared=stored.declared)
    backend.remove_schedules(["report"])
    backend.put_schedules([edited])
    runner.pause_schedule("report")
    again = make_runner(backend)
    declare(again, "@yearly")
    assert (started(again)["report"].rule, started(again)["report"].paused) == ("@monthly", True)
    changed = make_runner(backend)
    declare(changed, "@weekly")
    assert (started(changed)["report"].rule, started(changed)["report"].paused) == ("@weekly", True)


def test_the_fingerprint_of_a_declaration_never_changes(runner: Runner) -> None:
    """The fingerprint is the same in every process and version, so that an upgrade does not undo changes by hand."""
    declare(runner, "@yearly", payload=7, window=MINUTE)
    assert started(runner)["report"].declared == "384a30f9f023e5a73a4a213d043f1012"


def test_a_schedule_that_code_no_longer_declares_stays(make_runner: MakeRunner) -> None:
    """A start removes no schedule: another program may have stored it."""
    backend = MemoryBackend()
    runner = make_runner(backend)
    declare(runner)
    started(runner)
    other = make_runner(backend)
    other.register(Sweep)
    assert list(started(other)) == ["report"]


@pytest.mark.parametrize(
    ("rule", "options", "error", "text"),
    [
        ("* * * *", {}, InvalidArgument, "rule"),
        ("0 0 30 2 *", {}, InvalidArgument, "day-of-month"),
        ("@daily", {"end": datetime(1970, 1, 1, tzinfo=UTC)}, InvalidArgument, "never fires"),
        ("@daily", {"zone": "Europe/Berlim"}, UnknownZone, "Europe/Berlim"),
        (None, {}, InvalidArgument, "needs a rule or an interval"),
        ("@daily", {"every": MINUTE}, InvalidArgument, "needs a rule or an interval"),
        (None, {"every": 5}, InvalidArgument, r"every is 5; it must be a timedelta"),
        (None, {"every": timedelta(0)}, InvalidArgument, "interval"),
        ("@daily", {"payload": "x"}, InvalidPayload, "payload of 'report'"),
        ("@daily", {"missed": "none"}, InvalidArgument, "missed is 'none'"),
        ("@daily", {"overlap": "no"}, InvalidArgument, "overlap is 'no'"),
        ("@daily", {"windw": MINUTE}, InvalidArgument, "did you mean window="),
        ("@daily", {"name": ""}, InvalidArgument, "name is ''"),
    ],
)
def test_an_invalid_declaration_is_rejected_at_once(
    runner: Runner, rule: str | None, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """A declaration that could not fire is a typed error where it is written, before any store is opened."""
    with pytest.raises(error, match=text):
        declare(runner, rule, **options)
    assert not runner._lazy_backend.is_open


def test_two_schedules_of_one_name_are_rejected(runner: Runner) -> None:
    """Two declarations with one name are an error; the same declaration again is harmless."""
    runner.register(Sync)
    runner.schedule("@hourly", Sync(region="eu"))
    runner.schedule("@hourly", Sync(region="eu"))
    with pytest.raises(DuplicateSchedule, match=r"two schedules have the name 'sync'.*name="):
        runner.schedule("@hourly", Sync(region="us"))


def test_a_function_that_is_executed_again_replaces_its_schedule(runner: Runner) -> None:
    """In a notebook, the changed declaration of the same function replaces the earlier one."""
    for rule in ("@daily", "@hourly"):
        declare(runner, rule)
    assert started(runner)["report"].rule == "@hourly"


def test_misplaced_decorators_are_explained(runner: Runner) -> None:
    """The error for a wrong use of the decorator says what to write."""
    with pytest.raises(InvalidArgument, match=r"needs a rule; write @runner\.schedule"):
        runner.schedule(test_misplaced_decorators_are_explained)  # type: ignore[call-overload]
    with pytest.raises(DefinitionError, match=r"above @runner\.job"):
        runner.schedule("@daily")(lambda payload, ctx: None)  # type: ignore[type-var]
    with pytest.raises(UnknownKind, match="Sync is not registered"):
        runner.schedule("@daily", Sync(region="eu"))
    runner.register(Sync)
    with pytest.raises(InvalidPayload, match="fields without defaults; pass an instance"):
        runner.schedule("@daily")(Sync)
    with pytest.raises(InvalidArgument, match="pass its fields in an instance"):
        runner.schedule("@daily", payload="eu")(Sync)


def test_a_declaration_after_the_start_is_rejected(runner: Runner) -> None:
    """A running worker does not store a new declaration, so it is an error; `put_schedule` stores it at once."""
    runner.register(Sync)
    runner.start()
    with pytest.raises(AlreadyStarted, match="put_schedule"):
        runner.schedule("@daily", Sync(region="eu"))
    stored = runner.put_schedule("@daily", Sync(region="eu"), name="tenant-7", priority=2)
    assert (stored.name, stored.priority, stored.declared) == ("tenant-7", 2, None)
    assert runner.put_schedule("@weekly", Sync(region="eu"), name="tenant-7").rule == "@weekly"


class Unscheduled(MemoryBackend):
    """A store without schedules."""

    def put_schedules(self, schedules: Sequence[NewSchedule], **kwargs: Any) -> Sequence[Schedule]:
        """Raise."""
        raise Unsupported("no schedules here")


def test_a_store_without_schedules_rejects_the_start(make_runner: MakeRunner) -> None:
    """A runner that declares schedules does not start on a store that cannot keep them."""
    runner = make_runner(Unscheduled())
    declare(runner)
    with pytest.raises(Unsupported):
        runner.start()
    assert not runner.running


def test_pause_and_resume(runner: Runner) -> None:
    """A paused schedule keeps its next tick. After the resume, it fires at its next tick from then on."""
    runner.register(Sync)
    past = datetime.now(UTC) - timedelta(days=2)
    runner.backend.put_schedules([NewSchedule(name="s", rule="@daily", kind="sync", after=past)])
    paused = runner.pause_schedule("s")
    assert (paused.paused, runner.pause_schedule("s")) == (True, paused)
    resumed = runner.resume_schedule("s")
    assert (resumed.paused, resumed.last_tick) == (False, None)
    assert resumed.next_tick is not None
    assert resumed.next_tick > datetime.now(UTC) - MINUTE
    assert runner.resume_schedule("s") == resumed


def test_run_now_and_remove(runner: Runner) -> None:
    """A run enqueues a job beside the ticks, even while the schedule is paused. A removal leaves the jobs."""
    runner.register(Sync)
    runner.put_schedule("@yearly", Sync(region="eu"), name="s")
    runner.pause_schedule("s")
    handle = runner.run_schedule("s")
    runner.start()
    runner.result(handle, timeout=LONG)
    assert [runner.remove_schedule("s"), runner.remove_schedule("s")] == [True, False]
    [job] = runner.backend.list(Filter(tags=["schedule:s"]), limit=9)
    assert (job.id, job.payload, job.queue) == (handle.id, b'{"region":"eu"}', "syncs")


@pytest.mark.parametrize("call", ["pause_schedule", "resume_schedule", "run_schedule"])
def test_an_unknown_name_is_an_error(runner: Runner, call: str) -> None:
    """A call about a schedule that is not stored raises an error with the name."""
    with pytest.raises(ScheduleNotFound, match="'nope' was not found"):
        getattr(runner, call)("nope")


def test_a_kind_with_unique_by_gives_its_key_to_the_jobs_of_a_schedule(runner: Runner) -> None:
    """The job of a tick and an enqueued one with the same values have one key, unless ticks may overlap."""

    @runner.job("sync", unique_by=("region",))
    def sync(payload: dict[str, str], ctx: Context) -> None: ...

    runner.schedule("@daily", sync.job({"region": "eu", "by": "schedule"}), name="eu")
    runner.schedule("@daily", sync.job({"region": "us"}), name="us", overlap=False)
    runner.schedule("@daily", sync.job({"region": "eu"}), name="any", overlap=True)
    keys = {name: schedule.unique_key for name, schedule in started(runner).items()}
    enqueued = [runner.get(runner.enqueue(sync.job({"region": region}))).unique_key for region in ("eu", "us")]
    assert [keys["eu"], keys["us"]] == enqueued
    assert keys["any"] is None


def test_overlap_false_skips_a_tick_while_a_job_is_unfinished(make_runner: MakeRunner) -> None:
    """With overlap=False, one job exists at a time, and the ticks during its work insert none."""
    runner = make_runner(MemoryBackend(), queues=["elsewhere"])
    declare(runner, "every second", overlap=False)
    runner.start()
    eventually(lambda: (runner.schedules()[0].last_tick or runner.schedules()[0].created_at) > _two_ticks_in(runner))
    assert runner.backend.stats().total == 1


def _two_ticks_in(runner: Runner) -> datetime:
    return runner.schedules()[0].created_at + timedelta(seconds=2)
