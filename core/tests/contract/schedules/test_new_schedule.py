from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tallystick import InvalidArgument, Meta, MetaTooLarge, NewSchedule, UnknownZone, tick_id

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=5)


def schedule(**fields: Any) -> NewSchedule:
    """Return a valid schedule with some other fields."""
    return NewSchedule(**{"name": "report", "kind": "report", "rule": "@hourly", "after": NOON, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"rule": "0 0 30 2 *"},
        {"rule": "*" * 1_000_000},
        {"kind": ""},
        {"queue": 3},
        {"payload": "text"},
        {"priority": 40_000},
        {"max_attempts": 0},
        {"tags": "tag"},
        {"tags": ("schedule:other",)},
        {"meta": {"key": 1}},
        {"meta": [("key", "value")]},
        {"unique_key": ""},
        {"missed": "none"},
        {"missed": []},
        {"window": timedelta(0)},
        {"window": timedelta(days=367)},
        {"window": 3600},
        {"declared": "x" * 65},
        {"start": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"start": [], "rule": "@daily"},
        {"end": NOON, "start": NOON},
        {"end": "tomorrow"},
        {"after": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"last_tick": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"created_at": "yesterday"},
        {"paused": 1},
    ],
)
def test_a_schedule_checks_its_fields(fields: dict[str, Any]) -> None:
    """A value that no store accepts raises `InvalidArgument` when the schedule is created."""
    with pytest.raises(InvalidArgument):
        schedule(**fields)


def test_errors_of_a_schedule_are_typed() -> None:
    """A zone that is unknown and meta that is too large have errors of their own."""
    with pytest.raises(UnknownZone):
        schedule(zone="Europe/Atlantis")
    with pytest.raises(MetaTooLarge):
        schedule(meta={"key": "x" * 5_000})


def test_a_schedule_knows_its_first_tick() -> None:
    """next_tick is the first tick later than `after`; None if the schedule has ended."""
    assert schedule().next_tick == NOON + timedelta(hours=1)
    assert schedule(end=NOON).next_tick is None
    now = datetime.now(UTC)
    assert now < (schedule(after=None).next_tick or now) <= datetime.now(UTC) + timedelta(hours=1)


def test_times_are_whole_seconds() -> None:
    """start, end and window are rounded up to seconds, which every store can keep. The ticks stay the same."""
    given = schedule(start=NOON + timedelta(microseconds=1), end=LATER, window=timedelta(seconds=1.5))
    assert (given.start, given.end, given.window) == (NOON + timedelta(seconds=1), LATER, timedelta(seconds=2))


def test_a_new_schedule_is_stored_with_revision_one() -> None:
    """A new name is stored unpaused, with its first tick and none that fired."""
    stored = schedule(meta={"team": "ops"}).stored(NOON)
    assert (stored.revision, stored.paused, stored.last_tick) == (1, False, None)
    assert (stored.next_tick, stored.created_at, stored.updated_at) == (NOON + timedelta(hours=1), NOON, NOON)
    assert stored.meta == Meta({"team": "ops"})


def test_a_schedule_of_another_store_keeps_its_state() -> None:
    """A new name is stored with the last tick, the pause and the creation that it is given."""
    stored = schedule(last_tick=NOON, paused=True, created_at=NOON).stored(LATER)
    assert (stored.last_tick, stored.paused, stored.created_at, stored.updated_at) == (NOON, True, NOON, LATER)


def test_a_stored_schedule_keeps_its_own_state() -> None:
    """A last tick, a pause or a creation is no part of the definition, so a put with others changes nothing."""
    old = schedule().stored(NOON)
    moved = schedule(last_tick=LATER, paused=True, created_at=LATER)
    assert moved.replacing(old, LATER) is old
    changed = replace(moved, kind="other").replacing(old, LATER)
    assert changed == old._replace(kind="other", revision=2, updated_at=LATER)


def test_an_equal_definition_changes_nothing() -> None:
    """A repeated put keeps the stored schedule, whatever its state is and whenever it is repeated."""
    old = schedule().stored(NOON)._replace(paused=True, revision=7, last_tick=NOON)
    assert schedule(after=LATER).replacing(old, LATER) is old


def test_another_definition_replaces_the_stored_one() -> None:
    """A change keeps the state; next_tick stays if the rule does, so that no tick is lost or repeated."""
    old = schedule().stored(NOON)._replace(paused=True, last_tick=NOON)
    changed = schedule(payload=b"2", after=LATER).replacing(old, LATER)
    assert changed == old._replace(payload=b"2", revision=2, updated_at=LATER)


@pytest.mark.parametrize(
    "fields",
    [{"rule": "*/5 * * * *"}, {"zone": "Asia/Kolkata"}, {"start": LATER}, {"end": LATER + timedelta(days=9)}],
)
def test_another_rule_begins_after_the_put(fields: dict[str, Any]) -> None:
    """If rule, zone, start or end differ, next_tick is the first tick of the new rule."""
    new = schedule(**fields, after=LATER)
    changed = new.replacing(schedule().stored(NOON), LATER)
    assert changed.next_tick == new.next_tick
    assert changed.revision == 2


def test_a_declaration_does_not_overwrite_a_change_by_hand() -> None:
    """While `declared` stays the same, a put from code changes nothing; another `declared` replaces the definition."""
    edited = schedule(declared="a", rule="@daily").stored(NOON)
    assert schedule(declared="a").replacing(edited, LATER) is edited
    assert schedule(declared="b").replacing(edited, LATER).rule == "@hourly"
    assert schedule(declared=None).replacing(edited, LATER).declared is None


def test_the_job_of_a_tick() -> None:
    """The job of a tick has the schedule's fields, the tick as run_at, an id of the tick, and a tag with the name."""
    stored = schedule(payload=b"1", queue="mail", priority=3, tags=("daily",), unique_key="report").stored(NOON)
    job = stored.job(LATER)
    assert (job.id, job.run_at) == (tick_id("report", LATER), LATER)
    assert (job.kind, job.payload, job.queue, job.priority) == ("report", b"1", "mail", 3)
    assert (job.tags, job.unique_key) == (("daily", "schedule:report"), "report")


def test_a_job_that_runs_now_is_no_tick() -> None:
    """A run by hand has an id of its own, is due at once, and does not wait for the schedule's unique key."""
    stored = schedule(unique_key="report").stored(NOON)
    jobs = [stored.job_now(), stored.job_now()]
    assert jobs[0].id != jobs[1].id
    assert all(job.run_at is None and job.unique_key is None for job in jobs)
    assert all(job.tags == ("schedule:report",) for job in jobs)


def test_the_longest_name_fits_its_tag() -> None:
    """The tag of a job with the longest name is not longer than a tag may be."""
    assert schedule(name="x" * 200).stored(NOON).job(NOON).tags == ("schedule:" + "x" * 200,)


def test_a_copy_has_the_same_first_tick() -> None:
    """`dataclasses.replace` keeps `after`, so the copy has the first tick of the original."""
    assert replace(schedule(), payload=b"2").next_tick == schedule().next_tick
